"""What a run hands over for loading: rows in large batches, with the history that they add to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from sources.signalwire.records.batch import OrderBatch, PageRecords, TableRows
from sources.signalwire.records.buffers import RowBuffer
from sources.signalwire.records.convert import Converted, convert, order_batches
from sources.signalwire.records.history import changes_of
from sources.signalwire.records.rejects import Reject, rejected_rows
from sources.signalwire.records.schema import HISTORIES, NUMBER_ASSIGNMENTS, ORDERS, REJECTED, Table
from sources.signalwire.stats import RunStats

# what a run counts; each row of these that is loaded is a change of its history too
COUNTED = {ORDERS.name: "orders_loaded", NUMBER_ASSIGNMENTS.name: "numbers_loaded"}


@dataclass(eq=False)
class Output:
    """Takes rows and records of any table, and hands over batches."""

    hand_over: Callable[[TableRows], None]
    stats: RunStats
    include_sensitive: bool
    # how many rows there were since `finish`, those that are kept for a batch too
    taken: int = field(default=0, init=False)
    _rows: RowBuffer = field(default_factory=RowBuffer, init=False)

    def rows(self, table: Table, rows: pa.Table) -> None:
        """Takes rows of any table: those that are new or changed."""
        if len(rows):
            self.taken += len(rows)
            if count := COUNTED.get(table.name):
                self.stats.add(**{count: len(rows)})
            self._emit(self._rows.add(table.name, rows))

    def changes(self, table: Table, rows: pa.Table) -> None:
        """Takes rows of a table that its history tells of."""
        if len(rows):
            self.rows(HISTORIES[table.name], changes_of(table.name, rows, self.stats.run_id))

    def rejects(self, rejects: Sequence[Reject]) -> None:
        """Takes records that cannot be loaded as they are."""
        if rejects:
            self.stats.add(rejected=len(rejects))
            rows = rejected_rows(
                rejects, self.stats.run_id, include_sensitive=self.include_sensitive
            )
            self.rows(REJECTED, rows)

    def converted(self, table: Table, pages: Sequence[PageRecords]) -> Converted:
        """Makes rows of some pages; what is wrong in them is taken as rejects."""
        found = convert(table, pages, include_sensitive=self.include_sensitive)
        self.rejects(found.rejects)
        return found

    def orders_of(self, pages: Sequence[PageRecords]) -> list[OrderBatch]:
        """The orders of each page."""
        return order_batches(self.converted(ORDERS, pages))

    def numbers_of(self, pages: Sequence[PageRecords]) -> list[pa.Table]:
        """The number assignments of each page."""
        found = self.converted(NUMBER_ASSIGNMENTS, pages)
        return [found.rows[page] for page in found.pages()]

    def finish(self) -> None:
        """Hands over what is left."""
        self.taken = 0
        self._emit(self._rows.rest())

    def _emit(self, batches: Iterator[TableRows]) -> None:
        for batch in batches:
            self.hand_over(batch)
            if batch.table in COUNTED:
                changes = changes_of(batch.table, batch.rows, self.stats.run_id)
                self.hand_over(TableRows(HISTORIES[batch.table].name, changes))
