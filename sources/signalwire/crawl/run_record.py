"""What a run records about itself: its row in `runs`, its failures, and new columns in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib.metadata import version
from typing import Any

import pyarrow as pa
from dlt.common.schema import Schema

from sources.signalwire.options import Options
from sources.signalwire.records.batch import Origin, TableRows
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


class RunRecord:
    """Keeps the record of one run."""

    def __init__(self, stats: RunStats, options: Options) -> None:
        self._stats = stats
        stats.narrowed_to = as_json(options.narrowing) if options.narrowing else None
        # rows of `campaign_failures`; without a campaign it is a brand's
        self.failures: list[dict[str, Any]] = []
        self._options = options
        self._announced: set[tuple[str, str]] = set()

    def begin(self, mode: str) -> None:
        """Notes that reading begins, as a backfill or incrementally."""
        self._stats.mode = mode
        self._started_at = datetime.now(timezone.utc)
        # the machine's clock may be set back meanwhile
        self._started = time.monotonic()

    def note_new_columns(self, found: TableRows, schema: Schema) -> None:
        """Logs each new field that gets its own column, once."""
        known = {column.name for column in TABLES[found.table].columns(include_sensitive=True)}
        before = schema.tables.get(found.table, {}).get("columns", {})
        for name in found.rows.column_names:
            if name not in known and name not in before:
                if (found.table, name) not in self._announced:
                    logger.warning("new field in %s: stored in column %s", found.table, name)
                self._announced.add((found.table, name))

    def empty_tables(self, schema: Schema) -> Iterator[TableRows]:
        """An empty batch for every table that lacks a column, or all: reports read them."""
        existing = schema.data_table_names(seen_data_only=True)
        for table in (*RESOURCES.values(), *BOOKKEEPING.values()):
            empty = table.arrow_schema(self._options.include_sensitive).empty_table()
            there = schema.get_table_columns(table.name) if table.name in existing else ()
            if not {*empty.column_names} <= {*there}:
                yield TableRows(table.name, empty)

    def end(self, read_at: int) -> TableRows:
        """The run's row in `runs`; `read_at` is the server's clock in microseconds (UTC)."""
        finished_at = datetime.now(timezone.utc)
        row = {
            "run_id": self._stats.run_id,
            "started_at": self._started_at,
            "finished_at": finished_at,
            "read_at": pa.scalar(read_at, pa.int64()).cast(TIMESTAMP).as_py(),
            "mode": self._stats.mode,
            "complete": self._stats.complete,
            "narrowed_to": self._stats.narrowed_to,
            "shard": self._options.shard.part if self._options.shard else None,
            "shards": self._options.shard.of if self._options.shard else None,
            "seconds": time.monotonic() - self._started,
            "version": version("signalwire-orders"),
            **self._stats.counts(),
        }
        return TableRows(RUNS.name, pa.Table.from_pylist([row], schema=RUNS.arrow_schema()))

    def failed(self, origin: Origin, reason: str) -> None:
        """Records a list or record that could not be read; without a campaign it is a brand's."""
        logger.warning("%s", reason)
        self._stats.add(**{"campaigns_failed" if origin.campaign_id else "brands_failed": 1})
        self._stats.failures.append(reason)
        self.failures.append(
            {
                "id": f"{self._stats.run_id} {origin.path}",
                "run_id": self._stats.run_id,
                "reason": clean(reason),
                "failed_at": datetime.now(timezone.utc),
                **origin._asdict(),
            }
        )

    def failure_rows(self) -> TableRows:
        """The rows of `campaign_failures`."""
        schema = CAMPAIGN_FAILURES.arrow_schema()
        return TableRows(CAMPAIGN_FAILURES.name, pa.Table.from_pylist(self.failures, schema=schema))
