"""DuckDB as it is used while a run loads: in little memory, whatever the number of rows."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbCredentials
from dlt.pipeline.pipeline import Pipeline

from pipelines.destinations.resolve import Target
from pipelines.errors import causes_of

logger = logging.getLogger(__name__)

# Beyond the limit DuckDB puts what it works on into a folder beside the file; by default it takes
# up to four fifths of the machine's memory. Each of its threads needs some, so they are limited
# too. The process needs two to three times the limit more than Python alone.
SETTINGS = {
    "memory_limit": "56MB",
    "threads": min(os.cpu_count() or 1, 2),
    # rows have no order that anybody could rely on, and to keep one takes memory and time
    "preserve_insertion_order": False,
}


class Credentials(DuckDbCredentials):
    """dlt's, which say where they lead without importing SQLAlchemy for it."""

    def __str__(self) -> str:
        return f"{self.drivername}:///{self.database}"


def load_lightly(target: Target) -> None:
    """Has the target loaded with these settings; the user's own go first."""
    credentials = _credentials(target)
    # dlt says it once in every load; the import takes a tenth of a second
    credentials.__class__ = Credentials
    credentials.global_config = SETTINGS | (credentials.global_config or {})


def load(pipeline: Pipeline, target: Target) -> Any:
    """Loads what is pending, with more memory if DuckDB turns out to need it.

    Not everything in it can make do with a disk, and how much it needs is not known before. A limit
    that the user has set holds.
    """
    settings = _credentials(target).global_config
    if settings["memory_limit"] != SETTINGS["memory_limit"]:
        return pipeline.load(workers=1)
    try:
        with _no_word_of_memory():
            # it uses its threads for each table anyway; side by side tables need more memory
            return pipeline.load(workers=1)
    except Exception as error:
        if not any(isinstance(cause, duckdb.OutOfMemoryException) for cause in causes_of(error)):
            raise
    logger.info("the merge needs more memory than %s; it gets it", SETTINGS["memory_limit"])
    del settings["memory_limit"]
    with target.probe.sql_client() as client:
        client.execute_sql("RESET GLOBAL memory_limit")
    return pipeline.load(workers=1)


@contextmanager
def _no_word_of_memory() -> Iterator[None]:
    """Keeps dlt from telling, in a hundred lines, of what is made good right after."""
    log = logging.getLogger("dlt")
    log.addFilter(_is_about_something_else)
    try:
        yield
    finally:
        log.removeFilter(_is_about_something_else)


def _is_about_something_else(record: logging.LogRecord) -> bool:
    cause = record.exc_info[1] if record.exc_info else ""
    said = f"{record.getMessage()} {cause}"
    return "Out of Memory Error" not in said and "was not fully loaded" not in said


def _credentials(target: Target) -> Any:
    return target.probe.destination.config_params["credentials"]
