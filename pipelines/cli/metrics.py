"""What a run did as metrics, in a text file that the Prometheus node exporter picks up.

The format is Prometheus' text exposition format; the exporter's textfile collector reads every
`*.prom` file of a folder. Whoever runs shards gives each a file of its own.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.cli.messages import explain
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports
from pipelines.errors import NothingLoaded
from pipelines.publishing.output import write_output
from pipelines.signalwire_orders import RunResult

logger = logging.getLogger(__name__)

PREFIX = "signalwire_orders_"
HELP = {
    "run_timestamp_seconds": "When the newest run ended (Unix time, UTC).",
    "run_duration_seconds": "How long it took, loading included.",
    "run_exit_code": "How it ended: 0 done, 3 done but something could not be read, others failed.",
    "run_orders_loaded": "Orders it loaded: new or changed ones.",
    "run_orders_seen": "Order records the API served it.",
    "run_orders_deleted": "Orders it found to be gone.",
    "run_requests": "HTTP requests it sent, repeated ones included.",
    "run_retries": "Requests it sent again after a failure.",
    "run_rejected": "Records it put into the table rejected.",
    "run_lists_failed": "Lists it could not read.",
    "success_timestamp_seconds": "When a run last ended with exit code 0 (Unix time, UTC).",
    "data_timestamp_seconds": "How old the data is: when it was read, server's clock (Unix time).",
    "orders": "Orders in the destination that the API still has.",
    "orders_open": "Orders that are neither processed nor failed.",
    "orders_stuck": "Open orders that have waited longer than is usual.",
}
# what a run that failed leaves as it was, so that an alert on age does not fall silent
LASTING = [name for name in HELP if not name.startswith("run_")]
CONTENTS = """
SELECT (SELECT as_of FROM {reports}.data_as_of),
    (SELECT orders - deleted FROM {reports}.processing_time_summary),
    (SELECT open FROM {reports}.processing_time_summary),
    (SELECT count(*) FROM {reports}.stuck_orders)
"""


def write_metrics(
    path: Path,
    exit_code: int,
    seconds: float,
    result: RunResult | None = None,
    target: Destination | None = None,
) -> None:
    """Replaces the file as a whole, so that nobody ever reads half of it.

    Args:
        path: The file; the exporter looks for names that end in `.prom`.
        exit_code: The run's.
        seconds: How long the run took.
        result: What it did; None if it failed.
        target: Where the data is; None if it failed.

    Raises:
        OSError: the file cannot be written.
    """
    values: dict[str, float] = {name: was for name, was in _before(path).items() if name in LASTING}
    values |= {
        "run_timestamp_seconds": time.time(),
        "run_duration_seconds": seconds,
        "run_exit_code": exit_code,
    }
    if exit_code == 0:
        values["success_timestamp_seconds"] = time.time()
    if result is not None:
        counts = result.stats.counts()
        values |= {f"run_{name}": counts[name] for name in counts if f"run_{name}" in HELP}
        values["run_lists_failed"] = len(result.stats.failures)
    if target is not None:
        values |= _contents(target)
    # the exporter is another user
    write_output(path, _text(values), mode=0o644)


def is_metrics(head: str) -> bool:
    """Whether a file that begins like this is one of these."""
    ours = (f"# HELP {PREFIX}", f"# TYPE {PREFIX}", PREFIX)
    return all(line.startswith(ours) for line in head.splitlines() if line.strip())


def _contents(target: Destination) -> dict[str, float]:
    """What the reports say; nothing where there are none, or where they cannot be asked now."""
    try:
        with target.opened() as client:
            sql = CONTENTS.format(reports=in_reports(client, target.dataset))
            as_of, orders, open_now, stuck = client.execute_sql(sql)[0]
    except (DestinationUndefinedEntity, NothingLoaded):
        return {}
    except Exception as error:  # noqa: BLE001 - the next run may have opened the file already
        # the run itself is done, and an age that stands still is what an alert looks for
        logger.warning("the metrics tell of the data what they told before: %s", explain(error)[0])
        return {}
    told = {
        "data_timestamp_seconds": as_of.timestamp() if as_of else None,
        "orders": orders,
        "orders_open": open_now,
        "orders_stuck": stuck,
    }
    return {name: float(value) for name, value in told.items() if value is not None}


def _text(values: Mapping[str, float]) -> str:
    lines: list[str] = []
    for name, words in HELP.items():
        if name in values:
            lines += [
                f"# HELP {PREFIX}{name} {words}",
                f"# TYPE {PREFIX}{name} gauge",
                f"{PREFIX}{name} {float(values[name])!r}",
            ]
    return "\n".join(lines) + "\n"


def _before(path: Path) -> dict[str, float]:
    """The values of the file that is there, as far as it can be read."""
    if not path.is_file():  # a pipe would have us wait for its writer
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return {}
    return {
        name: float(value)
        for name, value in re.findall(rf"^{PREFIX}(\w+) ([0-9.e+-]+)$", text, re.MULTILINE)
    }
