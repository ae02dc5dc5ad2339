"""Metrics of a run, in a text file that the Prometheus node exporter picks up.

The exporter's textfile collector reads every `*.prom` file of a folder; each shard needs its own.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pipelines.destinations.base import Destination
from pipelines.destinations.resolve import find_target
from pipelines.errors import DONE
from pipelines.errors.explain import explain
from pipelines.publishing.output import require_apart, require_output, write_output
from pipelines.reporting.health import data_figures
from pipelines.signalwire_orders import RunResult
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.http.access_check import Probed

logger = logging.getLogger(__name__)

PREFIX = "signalwire_orders_"
Record = Callable[[RunResult, int, Sequence[Probed]], None]
HELP = {
    "run_timestamp_seconds": "When the newest run ended (Unix time, UTC).",
    "run_duration_seconds": "How long it took, loading included.",
    "run_exit_code": "How it ended: 0 done, 3 done but something could not be read, others failed.",
    "run_orders_loaded": "Orders it loaded: new or changed ones.",
    "run_orders_seen": "Order records the API served it.",
    "run_orders_deleted": "Orders found deleted from the API.",
    "run_requests": "HTTP requests it sent, repeated ones included.",
    "run_retries": "Requests it sent again after a failure.",
    "run_rejected": "Records it put into the table rejected.",
    "run_lists_failed": "Lists it could not read.",
    "success_timestamp_seconds": "When a run last ended with exit code 0 (Unix time, UTC).",
    "data_timestamp_seconds": "How old the data is: when it was read, server's clock (Unix time).",
    "orders": "Orders in the destination that the API still has.",
    "orders_open": "Orders that are neither processed nor failed.",
    "orders_stuck": "Open orders that have waited longer than is usual.",
    "checks": "Limits of the settings [checks] that were judged, after the newest run.",
    "checks_failed": "How many of them are exceeded.",
}


@contextmanager
def metrics_of_run(arguments: argparse.Namespace) -> Iterator[Record]:
    """Writes the file `--metrics-file`, if one is wanted, however the run in the block ends.

    The block calls what it is given with the result and the exit code of a run that did not fail,
    and with what the limits of the settings found.

    Raises:
        ConfigurationError: the file is something else, or cannot be written.
    """
    path: Path | None = arguments.metrics_file
    if path is None:
        yield lambda _result, _code, _findings: None
        return
    started, target = time.monotonic(), None
    require_output(path, "--metrics-file", "metrics file", is_metrics)
    # what is wrong with the destination is reported by the run
    with suppress(Exception):
        target = find_target(arguments.destination, arguments.dataset)
    if target is not None:
        require_apart(path, "--metrics-file", target)

    def record(result: RunResult, code: int, findings: Sequence[Probed]) -> None:
        try:
            write_metrics(path, code, time.monotonic() - started, result, target, findings)
        except OSError as error:
            raise ConfigurationError(
                f"everything is loaded, but --metrics-file cannot be written ({error})"
            ) from error

    try:
        yield record
    except BaseException as error:
        with suppress(OSError):  # the failure of the run is what has to be reported
            write_metrics(path, explain(error)[1], time.monotonic() - started)
        raise


def write_metrics(
    path: Path,
    exit_code: int,
    seconds: float,
    result: RunResult | None = None,
    target: Destination | None = None,
    findings: Sequence[Probed] = (),
) -> None:
    """Replaces the file as a whole, so that no reader sees half of it.

    Args:
        path: The file; the exporter looks for names that end in `.prom`.
        exit_code: The run's.
        seconds: How long the run took.
        result: What it did; None if it failed.
        target: Where the data is; None if the run failed.
        findings: What the limits of the settings found.

    Raises:
        OSError: the file cannot be written.
    """
    # a failed run keeps the figures of the data, so that an alert on its age still fires
    values = {name: was for name, was in _before(path).items() if not name.startswith("run_")}
    values |= {
        "run_timestamp_seconds": time.time(),
        "run_duration_seconds": seconds,
        "run_exit_code": exit_code,
    }
    if exit_code == DONE:
        values["success_timestamp_seconds"] = time.time()
    if result is not None:
        counts = result.stats.counts() | {"lists_failed": len(result.stats.failures)}
        values |= {f"run_{name}": counts[name] for name in counts}
        failed = sum(not found.ok for found in findings)
        values |= {"checks": len(findings), "checks_failed": failed}
    if target is not None:
        values |= _figures(target)
    from prometheus_client import CollectorRegistry, Gauge, generate_latest  # slow to import

    registry = CollectorRegistry()
    for name, words in HELP.items():
        if name in values:
            Gauge(PREFIX + name, words, registry=registry).set(values[name])
    # the exporter runs as another user
    write_output(path, generate_latest(registry).decode(), mode=0o644)


def _figures(target: Destination) -> dict[str, float]:
    """The figures of the data; none where they cannot be queried: the run itself is done."""
    try:
        return data_figures(target)
    except Exception as error:  # noqa: BLE001 - another program may have opened the file since
        why = explain(error)[0]
        logger.warning("could not query the reports, kept the previous data metrics: %s", why)
        return {}


def is_metrics(head: str) -> bool:
    """Whether a file that begins like this is a metrics file of ours, and nothing else."""
    ours = (f"# HELP {PREFIX}", f"# TYPE {PREFIX}", PREFIX)
    return all(line.startswith(ours) for line in head.splitlines() if line.strip())


def _before(path: Path) -> dict[str, float]:
    """The values in the file that is there; none where it cannot be read."""
    from prometheus_client.parser import text_string_to_metric_families

    if not path.is_file():  # to read a pipe would wait for its writer
        return {}
    try:
        families = list(text_string_to_metric_families(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}
    samples = (sample for family in families for sample in family.samples)
    found = {sample.name.removeprefix(PREFIX): sample.value for sample in samples}
    return {name: value for name, value in found.items() if name in HELP}
