"""What a run writes about itself: its row in `runs`, and a word about new columns in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from importlib.metadata import version

import pyarrow as pa
from dlt.common.schema import Schema

from sources.signalwire.crawl.events import Failure, Rows
from sources.signalwire.options import Selection
from sources.signalwire.records.decoding import clean
from sources.signalwire.records.schema import (
    BOOKKEEPING,
    CAMPAIGN_FAILURES,
    RESOURCES,
    RUNS,
    TABLES,
    TIMESTAMP,
)
from sources.signalwire.records.values import as_json
from sources.signalwire.stats import RunStats

logger = logging.getLogger(__name__)


class RunLog:
    """Keeps the record of one run."""

    def __init__(self, stats: RunStats, selection: Selection) -> None:
        self._stats = stats
        self._selection = selection
        self._started_at = datetime.now(timezone.utc)
        self._started = time.monotonic()
        self._announced: set[tuple[str, str]] = set()

    def begin(self, mode: str) -> None:
        """Notes that reading begins, as a backfill or incrementally."""
        self._stats.mode = mode
        self._started_at = datetime.now(timezone.utc)
        # the machine's clock may be set back meanwhile
        self._started = time.monotonic()

    def note_new_columns(self, found: Rows, schema: Schema) -> None:
        """Logs each field that gets a column of its own for the first time, once."""
        known = {column.name for column in TABLES[found.table].columns(include_sensitive=True)}
        before = schema.tables.get(found.table, {}).get("columns", {})
        for name in found.rows.column_names:
            if name not in known and name not in before:
                if (found.table, name) not in self._announced:
                    logger.warning("new field in %s: stored in column %s", found.table, name)
                self._announced.add((found.table, name))

    def empty_tables(self, schema: Schema) -> Iterator[Rows]:
        """An empty batch for every table that does not exist yet, so that it can be queried."""
        existing = schema.data_table_names(seen_data_only=True)
        for table in (*RESOURCES.values(), *BOOKKEEPING.values()):
            if table.name not in existing:
                empty = table.arrow_schema(self._selection.include_sensitive).empty_table()
                yield Rows(table.name, empty)

    def end(self, read_at: int) -> Rows:
        """The run's row in `runs`; `read_at` is the server's clock in microseconds (UTC)."""
        finished_at = datetime.now(timezone.utc)
        narrowing = self._selection.narrowing
        row = {
            "run_id": self._stats.run_id,
            "started_at": self._started_at,
            "finished_at": finished_at,
            "read_at": pa.scalar(read_at, pa.int64()).cast(TIMESTAMP).as_py(),
            "mode": self._stats.mode,
            "complete": self._stats.complete,
            "narrowed_to": as_json(narrowing) if narrowing else None,
            "shard": self._selection.shard.part if self._selection.shard else None,
            "shards": self._selection.shard.of if self._selection.shard else None,
            "seconds": time.monotonic() - self._started,
            "version": version("signalwire-orders"),
            **self._stats.counts(),
        }
        return Rows(RUNS.name, pa.Table.from_pylist([row], schema=RUNS.arrow_schema()))


def rows_of_failures(failures: Sequence[Failure], run_id: str) -> Rows:
    """The rows of `campaign_failures`: what a run could not read."""
    rows = [
        {
            "id": f"{run_id} {failure.origin.path}",
            "run_id": run_id,
            "reason": clean(failure.reason),
            "failed_at": failure.failed_at,
            **failure.origin._asdict(),
        }
        for failure in failures
    ]
    return Rows(
        CAMPAIGN_FAILURES.name,
        pa.Table.from_pylist(rows, schema=CAMPAIGN_FAILURES.arrow_schema()),
    )
