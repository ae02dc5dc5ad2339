"""The pipeline `signalwire_orders`: loads what the source finds, exactly once, into one dataset."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.destinations.base import Destination
from pipelines.destinations.configuration import data_folder, require_writable
from pipelines.destinations.existing import ExistingData
from pipelines.destinations.lock import exclusive, require_wait
from pipelines.destinations.resolve import find_target
from pipelines.loading.failed_runs import failure_noted
from pipelines.loading.load import normalize_and_load, read
from pipelines.loading.recovery import recover
from pipelines.loading.result import RunResult
from pipelines.loading.signals import orderly_end
from pipelines.publishing.publish import output_to_publish, publish_copy
from pipelines.reporting.catalog import configured_reports, require_report_settings
from pipelines.reporting.limits import configured_limits
from pipelines.reporting.views import apply_reports
from sources.signalwire import RunStats, Stretches, signalwire
from sources.signalwire.options import parse_shard

logger = logging.getLogger(__name__)


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

    By default the destination and dataset of dlt's settings are used. `wait` is the number of
    seconds to wait for another run, `stats` is updated during the run, `publish` is the path of a
    copy for other programs (empty: none), `shard`, as in `2/8`, loads one of several disjoint
    parts. All else are arguments of the source `signalwire`. What can be raised is listed in
    `pipelines.errors`; nothing is lost then, and the next run that loads adds why to `runs`.
    """
    started = time.monotonic()
    stats = stats or RunStats()
    target = _require_target(destination, dataset, shard, wait)
    with failure_noted(target, stats) as notes:
        known = ExistingData(target)
        stretches = Stretches()
        source = signalwire(
            stats=stats, known=known, stretches=stretches, shard=shard, **source_settings
        )
        target.prepare_source(source)
        output = output_to_publish(target, publish)
        configured_limits()  # refuses those that cannot be meant so
        reports_wanted = require_report_settings() and target.capabilities.reports
        _prepare_load(target)
        with orderly_end(), exclusive(target, wait) as lock:
            _log_beginning(stats, target)
            notes.begin()
            pipeline = recover(target, lock)
            notes.add_rows(source, known)
            read(pipeline, source, stretches, known, target, lock)
            with target.shared_connection():
                normalize_and_load(pipeline, target, lock)
                notes.rows_are_loaded()
                if reports_wanted:
                    with lock.schema_lock():
                        apply_reports(target)
            if output:
                publish_copy(target, output, configured_reports())
    published = str(output.path) if output else None
    seconds = time.monotonic() - started
    return RunResult(stats, seconds, target.description, target.dataset, published)


def _require_target(
    destination: str | None, dataset: str | None, shard: str | None, wait: float
) -> Destination:
    """Where to load to, as far as that can be checked without a connection."""
    target = find_target(destination, dataset, parse_shard(shard))
    target.require_loadable()
    require_wait(wait)
    for caveat in target.caveats():
        logger.warning(caveat)
    return target


def _prepare_load(target: Destination) -> None:
    """Checks folders and the server, and configures connections and memory."""
    # Arrow's own allocator keeps much of what threads gave back; the system's is as quick here
    pa.set_memory_pool(pa.system_memory_pool())
    data_folder()
    require_writable(target.pipelines_dir)
    target.configure_load()
    target.check_server()


def _log_beginning(stats: RunStats, target: Destination) -> None:
    logger.info("run %s begins, into %s", stats.run_id, target.description)
    if target.asked_for != target.dataset:
        logger.info("the dataset %s is called %s there", target.asked_for, target.dataset)


__all__ = ["RunResult", "run"]
