"""Rows of many small pages, gathered into few large tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sources.signalwire.findings import Rows
from sources.signalwire.settings import BATCH_ROWS, MAX_BATCH_PARTS


class Batches:
    """Gathers rows table by table and gives them out once there are enough."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {}
        self._counts: dict[str, int] = {}

    def add(self, found: Rows) -> Iterator[Rows]:
        """Takes rows, and yields the table's batch when it is full."""
        parts = self._parts.setdefault(found.table, [])
        parts.append(found.rows)
        self._counts[found.table] = self._counts.get(found.table, 0) + len(found.rows)
        if self._counts[found.table] >= BATCH_ROWS:
            yield self._take(found.table)
        elif len(parts) >= MAX_BATCH_PARTS:
            parts[:] = [joined(parts)]

    def rest(self) -> Iterator[Rows]:
        """Yields what is left, a batch for each table."""
        for table in list(self._parts):
            yield self._take(table)

    def _take(self, table: str) -> Rows:
        del self._counts[table]
        return Rows(table, joined(self._parts.pop(table)))


def joined(parts: Sequence[pa.Table]) -> pa.Table:
    """One table of all parts; a part that lacks a column of another has nulls there."""
    return pa.concat_tables(parts, promote_options="default").combine_chunks()
