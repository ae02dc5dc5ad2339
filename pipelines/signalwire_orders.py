"""The pipeline `signalwire_orders`: loads what the source finds, exactly once, into one dataset."""

from __future__ import annotations

import hashlib
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dlt
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.pipeline.pipeline import Pipeline

from pipelines.defaults import register_defaults
from sources.signalwire import RunStats, signalwire

PIPELINE_NAME = "signalwire_orders"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """What a run did, and where the data is. `seconds` is the whole run, loading included."""

    stats: RunStats
    seconds: float
    destination: str
    dataset: str

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
        }


def run(
    *,
    destination: str | None = None,
    dataset: str | None = None,
    stats: RunStats | None = None,
    **source_settings: Any,
) -> RunResult:
    """Loads everything that is new or changed, after what an interrupted run left behind.

    Args:
        destination: A destination dlt knows; by default the one in its settings, DuckDB.
        dataset: The dataset (schema) to load into; by default `signalwire`.
        stats: Kept up to date while the run goes on, for whoever watches.
        source_settings: Arguments of the source `signalwire` that override dlt's settings.

    Raises:
        PipelineStepFailed: dlt's; its causes say what went wrong.
        SignalWireError: a setting cannot work.
        ConfigFieldMissingException: dlt's; a setting without a default is not set.
    """
    started = time.monotonic()
    pipeline = open_pipeline(destination, dataset)
    stats = stats or RunStats()
    source = signalwire(stats=stats, **source_settings)
    logger.info("run %s begins, into %s", stats.run_id, describe(pipeline))
    _finish_interrupted_run(pipeline)
    _take_state_from_destination(pipeline)
    info = pipeline.run(source)
    info.raise_on_failed_jobs()
    return RunResult(
        stats=stats,
        seconds=time.monotonic() - started,
        destination=describe(pipeline),
        dataset=pipeline.dataset_name,
    )


def open_pipeline(destination: str | None = None, dataset: str | None = None) -> Pipeline:
    """The pipeline for one destination and dataset, with a working directory of its own.

    dlt keeps one working directory per pipeline name. What an interrupted run left there for one
    database must never be loaded into another, so each destination gets a directory to itself.
    """
    register_defaults()
    names: dict[str, Any] = {"destination": destination, "dataset_name": dataset}
    names = {name: value for name, value in names.items() if value is not None}
    with tempfile.TemporaryDirectory() as nowhere:
        probe = dlt.pipeline(PIPELINE_NAME, pipelines_dir=nowhere, **names)
        config = probe.destination_client().config
    identity = f"{config.destination_type} {config.data_location()} {probe.dataset_name}"
    digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
    own = Path(get_dlt_pipelines_dir()) / f"{PIPELINE_NAME}-{digest}"
    pipeline: Pipeline = dlt.pipeline(PIPELINE_NAME, pipelines_dir=str(own), **names)
    return pipeline


def describe(pipeline: Pipeline) -> str:
    """The destination in words, without credentials."""
    return str(pipeline.destination_client().config)


def _finish_interrupted_run(pipeline: Pipeline) -> None:
    """Loads what a run that was killed had read but not loaded.

    dlt loads such packages at the next run and then returns without reading anything, so this has
    to come before, and apart from, the run itself.
    """
    if pipeline.has_pending_data:
        logger.info("loading what an interrupted run left behind")
        info = pipeline.run()
        if info is not None:
            info.raise_on_failed_jobs()


def _take_state_from_destination(pipeline: Pipeline) -> None:
    """Forgets local state and takes the destination's, which moves only together with the data.

    Local state would be wrong as soon as the database was replaced, restored from a backup or
    loaded from another machine.
    """
    pipeline.drop()
    pipeline.sync_destination()
