"""The pipeline `signalwire_orders`: loads what the source finds, exactly once, into one dataset."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.data_folder import data_folder, require_writable
from pipelines.destinations import duckdb
from pipelines.destinations.capabilities import caveats, kept_by, require_merge
from pipelines.destinations.existing import DataInDestination
from pipelines.destinations.lock import exclusive, require_wait
from pipelines.destinations.reading import require_database
from pipelines.destinations.resolve import find_target
from pipelines.destinations.stale_rows import guard
from pipelines.loading.recovery import normalize_and_load, resume
from pipelines.loading.signals import orderly_end
from pipelines.publishing.publish import place_to_publish, publish_copy
from pipelines.reporting.catalog import require_report_settings
from pipelines.reporting.views import apply_reports
from sources.signalwire import RunStats, signalwire
from sources.signalwire.options import parse_shard

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """What a run did, and where the data is. `seconds` is the whole run, loading included.

    `published` is the path of the copy that was published; None without one.
    """

    stats: RunStats
    seconds: float
    destination: str
    dataset: str
    published: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The result as the command line's `--json` prints it."""
        return {
            "run_id": self.stats.run_id,
            "mode": self.stats.mode,
            "complete": self.stats.complete,
            **self.stats.counts(),
            "failures": list(self.stats.failures),
            "seconds": round(self.seconds, 3),
            "destination": self.destination,
            "dataset": self.dataset,
            "published": self.published,
        }


def run(
    *,
    destination: str | None = None,
    dataset: str | None = None,
    wait: float = 0.0,
    stats: RunStats | None = None,
    publish: str | Path | None = None,
    shard: str | None = None,
    **source_settings: Any,
) -> RunResult:
    """Loads everything that is new or changed, after what an interrupted run left behind.

    Args:
        destination: A destination dlt knows; by default the one in its settings, DuckDB.
        dataset: The dataset (schema) to load into; by default `signalwire`.
        wait: Seconds to wait for another run into the same place to end.
        stats: Kept up to date while the run goes on, for whoever watches.
        publish: Where to put a copy for other programs, also after a run that could not read
            everything; by default where the setting `reports.publish` says. Empty: no copy.
        shard: `I/N` loads the I-th of N disjoint parts only, beside the others: on a server, from
            as many processes or machines.
        source_settings: Arguments of the source `signalwire` that override dlt's settings.

    Raises:
        Busy: another run is loading into the same place.
        ReportsFailed: everything is loaded, but a view could not be made.
        PublishFailed: everything is loaded, but the copy for other programs could not be made.
        LockLost: the database let go of the lock; the load does not count.
        PipelineStepFailed: dlt's; its causes say what went wrong.
        SignalWireError: a setting cannot work, or the destination cannot merge rows.
        ConfigFieldMissingException: dlt's; a setting without a default is not set.
        KeyboardInterrupt: SIGINT or SIGTERM; nothing is lost.
    """
    started = time.monotonic()
    target = find_target(destination, dataset, parse_shard(shard))
    require_merge(target)
    require_database(target)
    require_wait(wait)
    if target.kind == "duckdb":
        duckdb.load_lightly(target)
    for caveat in caveats(target.kind):
        logger.warning(caveat)
    # Arrow's own allocator keeps much of what threads gave back; the system's is as quick here
    pa.set_memory_pool(pa.system_memory_pool())
    stats = stats or RunStats()
    known = DataInDestination(target)
    source = signalwire(stats=stats, known=known, shard=shard, **source_settings)
    guard(source, target.probe, target.kind)
    place = place_to_publish(target, publish)
    views_wanted = require_report_settings() and kept_by(target.kind).reports
    data_folder()
    require_writable(target.pipelines_dir)
    if target.kind == "postgres":
        from pipelines.destinations.postgres_checks import prepare_to_load  # only needed there

        prepare_to_load(target)
    with orderly_end(), exclusive(target, wait) as lock:
        logger.info("run %s begins, into %s", stats.run_id, target.description)
        if target.asked_for != target.dataset:
            logger.info("the dataset %s is called %s there", target.asked_for, target.dataset)
        with target.kept_open():
            pipeline = resume(target, lock)
        pipeline.extract(source)
        # hands the memory that reading took back to the system, for loading
        pa.default_memory_pool().release_unused()
        lock.verify()
        with target.kept_open():
            normalize_and_load(pipeline, target, lock)
            if views_wanted:
                with lock.alone():
                    apply_reports(target)
        if place:
            publish_copy(target, place)
    return RunResult(
        stats=stats,
        seconds=time.monotonic() - started,
        destination=target.description,
        dataset=target.dataset,
        published=str(place.path) if place else None,
    )
