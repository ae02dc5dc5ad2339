"""Reads what is new or changed, and loads it."""

from __future__ import annotations

from typing import Any

import dlt
import pyarrow as pa

from pipelines.destinations.base import Destination
from pipelines.destinations.columns import require_free_names
from pipelines.destinations.lock import Lock


def read(pipeline: dlt.Pipeline, source: Any, lock: Lock) -> None:
    """Writes what the source finds to files, under the lock until the end.

    Raises:
        LockLost: another run may have begun.
        PipelineStepFailed: dlt's; its causes say what went wrong.
    """
    pipeline.extract(source)
    # hands the memory that reading took back to the system, for loading
    pa.default_memory_pool().release_unused()
    lock.verify()


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
