"""What is notified: how a run ended, and what a check found."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.common.runtime.run_context import active

from pipelines.destinations.base import PIPELINE_NAME, Destination
from pipelines.destinations.resolve import find_target
from pipelines.errors import BUSY
from pipelines.errors.explain import explain
from pipelines.loading.notify.alerts import Alert, changes, message_of
from pipelines.loading.notify.delivery import configured_urls, deliver
from pipelines.loading.notify.state import locked, read_state, state_file, write_state
from pipelines.loading.result import RunResult
from sources.signalwire.http.access_check import Probed
from sources.signalwire.options import parse_shard

logger = logging.getLogger(__name__)

Limits = Mapping[str, str | Sequence[str] | None]
RUN, LISTS = "run", "lists"
FAILURES = (
    "signalwire-orders query \"SELECT reason FROM campaign_failures WHERE run_id = '{run_id}'\""
)
INTERRUPTED = 128  # exit codes above it


@contextmanager
def notified_run(
    destination: str | None,
    dataset: str | None = None,
    shard: str | None = None,
    limits: Limits | None = None,
) -> Iterator[Callable[[RunResult, Sequence[Probed]], None]]:
    """Notifies of how the run in the block ends, if that is news; the arguments are the run's.

    The block calls what it is given with the result of a run that did not fail, and with what
    limits found. `limits` are the campaigns and the like that the run was limited to: it says
    nothing of the others. An interrupted run and one that found the place in use are no news.
    """
    alerts: list[Alert] = []

    def ended(result: RunResult, findings: Sequence[Probed]) -> None:
        alerts.extend([*_alerts_of(result, limits or {}), *map(_alert_of, findings)])

    try:
        yield ended
    except Exception as error:
        words, code = explain(error)
        if code != BUSY and code <= INTERRUPTED:
            failed = Alert(RUN, True, "run failed", words, command="signalwire-orders check")
            _notify_run(destination, dataset, shard, [failed])
        raise
    if alerts:
        _notify_run(destination, dataset, shard, alerts)


def notify_findings(target: Destination, findings: Iterable[Probed]) -> None:
    """Notifies of findings that turned bad, or well again; each is known by its key or its name."""
    with _harmless():
        if urls := configured_urls():
            _notify(urls, state_file(target), place_of(target), [*map(_alert_of, findings)])


def _alert_of(found: Probed) -> Alert:
    key, title = found.key or found.what, f"check failed: {found.what}"
    return Alert(key, not found.ok, title, found.words, found.examples, found.command)


def place_of(target: Destination) -> str:
    """Where the data is, in words without credentials."""
    shard = f", shard {target.shard.part}/{target.shard.of}" if target.shard else ""
    return f"{target.description}, dataset {target.dataset}{shard}"


def _alerts_of(result: RunResult, limits: Limits) -> list[Alert]:
    failures = result.stats.failures
    given = ((n, [v] if isinstance(v, str) else v) for n, v in sorted(limits.items()) if v)
    limited = "".join(f"/{n}={','.join(values).replace('/', '%2F')}" for n, values in given)
    words = "everything could be read"
    if failures:
        words = f"{len(failures):,} lists could not be read, and everything else is loaded;"
        words += " the next run retries them"
        words += f" (the run was limited to {limited[1:]})" if limited else ""
    key, command = f"{LISTS}{limited}", FAILURES.format(run_id=result.stats.run_id)
    return [
        Alert(RUN, False, "run failed", ""),
        Alert(key, bool(failures), "run not complete", words, tuple(failures), command),
    ]


def _notify_run(
    destination: str | None, dataset: str | None, shard: str | None, alerts: list[Alert]
) -> None:
    with _harmless():
        if not (urls := configured_urls()):
            return
        # the state of runs whose place is not known: a file for each way to ask, and folder
        identity = f"{active().run_dir} {destination} {dataset} {shard}"
        digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
        asked = Path(get_dlt_pipelines_dir()) / f"{PIPELINE_NAME}-{digest}.alerts.json"
        try:
            target = find_target(destination, dataset, parse_shard(shard))
        except Exception:  # noqa: BLE001 - the settings of the place are what the run failed on
            _notify(urls, asked, "not known: its settings cannot work", alerts)
            return
        _notify(urls, state_file(target), place_of(target), alerts)
        if asked.exists():  # the settings work now
            well = Alert(RUN, False, "run failed", "the settings work now")
            _notify(urls, asked, place_of(target), [well])


def _notify(urls: list[str], path: Path, place: str, alerts: list[Alert]) -> None:
    """Sends what is news, and keeps what people know now."""
    moment = datetime.now(timezone.utc).replace(microsecond=0)
    before = read_state(path)
    found = changes(before, alerts, moment)
    if not found.news and found.if_not == before:
        return
    with locked(path):
        before = read_state(path)  # another process may have told of it since
        found = changes(before, alerts, moment)
        told = bool(found.news) and any(deliver(urls, message_of(found.news, place)))
        after = found.if_told if told else found.if_not
        if after != before:
            write_state(path, after)


@contextmanager
def _harmless() -> Iterator[None]:
    """Turns whatever goes wrong into a warning, Ctrl-C while a message is sent included."""
    try:
        yield
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the run counts, not this
        # the text of an error can hold a URL
        logger.warning("the notification failed (%s)", type(error).__name__)
