"""Records of many short lists, gathered and made into rows together: each step costs a lot once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sources.signalwire.crawl.events import Rows
from sources.signalwire.options import Selection
from sources.signalwire.records.convert import (
    Origin,
    Reject,
    convert,
    rows_of_rejects,
    sensitive_fields,
)
from sources.signalwire.records.schema import REJECTED, RESOURCES, Table
from sources.signalwire.settings import RECORDS_AT_ONCE
from sources.signalwire.stats import RunStats


class Gathering:
    """Gathers records table by table, of the tables that are asked for."""

    def __init__(self, selection: Selection, stats: RunStats) -> None:
        self._selection = selection
        self._stats = stats
        self._records: dict[str, list[tuple[Any, Origin]]] = {}

    def add(self, table: str, records: Sequence[Any], origin: Origin) -> Iterator[Rows]:
        """Takes the records of one page, and yields the rows of all there are if that is enough."""
        if records and table in self._selection.resources:
            waiting = self._records.setdefault(table, [])
            waiting += [(record, origin) for record in records]
            if len(waiting) >= RECORDS_AT_ONCE:
                yield from self._rows(table)

    def take(self, table: Table) -> Iterator[Rows]:
        """Yields the rows of what is left of one table."""
        if table.name in self._records:
            yield from self._rows(table.name)

    def rest(self) -> Iterator[Rows]:
        """Yields the rows of what is left."""
        for table in list(self._records):
            yield from self._rows(table)

    def _rows(self, name: str) -> Iterator[Rows]:
        """Rows, and what is wrong in the records."""
        records, origins = zip(*self._records.pop(name), strict=True)
        table, sensitive = RESOURCES[name], self._selection.include_sensitive
        rows, rejects = convert(table, records, origins, include_sensitive=sensitive)
        yield from rejected(table, rejects, self._stats, include_sensitive=sensitive)
        if len(rows):
            yield Rows(name, rows)


def rejected(
    table: Table, rejects: Sequence[Reject], stats: RunStats, *, include_sensitive: bool = False
) -> Iterator[Rows]:
    """The rows of records of a table that cannot be loaded as they are, if there are any."""
    if rejects:
        stats.add(rejected=len(rejects))
        hidden = frozenset() if include_sensitive else sensitive_fields(table)
        yield Rows(REJECTED.name, rows_of_rejects(rejects, stats.run_id, hidden))
