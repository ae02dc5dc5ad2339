"""Reads what is new or changed, and loads it."""

from __future__ import annotations

import logging
from contextlib import closing
from typing import Any

import dlt
import pyarrow as pa

from pipelines.destinations.base import STATES, Destination
from pipelines.destinations.columns import require_free_names
from pipelines.destinations.existing import ExistingData
from pipelines.destinations.lock import Lock
from sources.signalwire.crawl.stretches import Stretches

logger = logging.getLogger(__name__)


def read(
    pipeline: dlt.Pipeline,
    source: Any,
    stretches: Stretches,
    known: ExistingData,
    target: Destination,
    lock: Lock,
) -> None:
    """Writes what the source finds to files; of a long run, all but the last stretch is loaded.

    What was loaded stays, with its cursors, whatever happens after. The lock is held throughout.

    Raises:
        LockLost: another run may have begun.
        PipelineStepFailed: dlt's; its causes say what went wrong.
    """
    with closing(stretches):
        _extract(pipeline, source, lock)
        if not stretches.is_over:
            logger.info("this takes longer; what has been read is loaded while reading goes on")
        while not stretches.is_over:
            with known.unasked(), target.shared_connection():
                normalize_and_load(pipeline, target, lock)
            stretches.loaded()
            logger.debug("what was read so far is loaded")
            _extract(pipeline, source, lock)


def normalize_and_load(pipeline: dlt.Pipeline, target: Destination, lock: Lock) -> None:
    """Brings what has been read to the destination.

    Raises:
        ConfigurationError: a user's column has the name of a field that came later.
        KeysFailed: a table holds a key twice.
        PipelineStepFailed: dlt's; its causes say what went wrong.
    """
    pipeline.normalize()
    require_free_names(pipeline)
    target.prepare_tables(pipeline, lock)
    info = target.load(pipeline)
    if info is not None:
        info.raise_on_failed_jobs()
        if _has_state(info):
            target.drop_old_states(pipeline)


def _has_state(info: Any) -> bool:
    """Whether a state was loaded: a run that moves no cursor stores none."""
    jobs = (job for package in info.load_packages for job in package.jobs["completed_jobs"])
    return any(job.job_file_info.table_name == STATES for job in jobs)


def _extract(pipeline: dlt.Pipeline, source: Any, lock: Lock) -> None:
    pipeline.extract(source)
    # hands the memory that reading took back to the system, for loading
    pa.default_memory_pool().release_unused()
    lock.verify()
