"""Rows gathered into batches before a load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sources.signalwire.records.batch import TableRows
from sources.signalwire.settings import BATCH_ROWS, MAX_BATCH_BYTES, MAX_BATCH_PARTS


class RowBuffer:
    """Gathers rows table by table, and gives them out in batches large enough for a quick load."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {}
        self._counts: dict[str, int] = {}
        self._held: dict[str, dict[int, int]] = {}

    def add(self, table: str, rows: pa.Table) -> Iterator[TableRows]:
        """Takes rows, and yields the table's batch when it is full."""
        parts = self._parts.setdefault(table, [])
        parts.append(rows)
        self._counts[table] = self._counts.get(table, 0) + len(rows)
        if self._counts[table] >= BATCH_ROWS:
            yield self._take(table)
        elif len(parts) >= MAX_BATCH_PARTS or self._hold(table, rows) > MAX_BATCH_BYTES:
            self._held.pop(table, None)
            parts[:] = [concatenated(parts)]

    def rest(self) -> Iterator[TableRows]:
        """Yields what is left, a batch for each table."""
        for table in list(self._parts):
            yield self._take(table)

    def _hold(self, table: str, rows: pa.Table) -> int:
        """Bytes that a table's parts keep in memory: all that was converted together with them."""
        held = self._held.setdefault(table, {})
        # rows converted together share their buffers; the first column has no empty text
        some = next(chunk for chunk in rows.column(0).chunks if len(chunk))
        held[some.buffers()[-1].address] = rows.get_total_buffer_size()
        return sum(held.values())

    def _take(self, table: str) -> TableRows:
        del self._counts[table]
        self._held.pop(table, None)
        return TableRows(table, concatenated(self._parts.pop(table)))


def concatenated(parts: Sequence[pa.Table]) -> pa.Table:
    """One table of all parts; a part that lacks a column of another has nulls there."""
    return pa.concat_tables(parts, promote_options="default").combine_chunks()


def compacted(rows: pa.Table) -> pa.Table:
    """The same rows, copied, so that they keep nothing in memory but themselves."""
    return rows.take(pa.array(range(len(rows)), pa.int64()))
