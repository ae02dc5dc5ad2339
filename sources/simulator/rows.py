"""Records as served, and the sorted shelves that hold them."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import orjson

BY_CREATION = attrgetter("created")


class NotFoundError(LookupError):
    """There is no such record: the API answers 404."""


class Row:
    """One record, stored as served JSON, so that a page only joins bytes.

    `created` is its position in the list (seconds since 1970 UTC), which may differ from its
    `created_at`: a raw record may contain anything.
    """

    __slots__ = ("body", "created", "id", "shelf", "state")

    shelf: Shelf
    changes_at: float = math.inf

    def __init__(self, created: float, fields: Any, row_id: str = "") -> None:
        self.created = created
        self.id = row_id
        self.write(fields)

    def write(self, fields: Any) -> None:
        # A copy, because orjson keeps each result in a buffer several times its size.
        self.body = bytes(memoryview(orjson.dumps(fields)))
        self.state = fields.get("state") if isinstance(fields, dict) else None

    def render(self, now: float) -> bytes:
        """The record's JSON at the moment `now`."""
        if now >= self.changes_at:
            self.move_on(now)
        return self.body

    def move_on(self, now: float) -> None:
        """Update the record to `now`; most never change by themselves."""

    def fields(self, now: float) -> Any:
        """The record as a client would read it at `now`."""
        return orjson.loads(self.render(now))

    def matches(self, now: float, state: str | None, name: str | None) -> bool:
        """Whether the record matches the filters; None matches everything."""
        if state is not None:
            self.render(now)
            if self.state != state:
                return False
        if name is None:
            return True
        fields = self.fields(now)
        found = fields.get("name") if isinstance(fields, dict) else None
        return isinstance(found, str) and name.casefold() in found.casefold()

    @property
    def served(self) -> bool:
        """Whether neither it nor its parent was removed."""
        owner = self.shelf.owner
        return self.shelf.holds(self) and (owner is None or owner.served)


class Shelf:
    """The rows of one list, oldest first, some of them still to come.

    `coming` yields rows in order of creation, possibly endlessly; a row joins the list when
    `catch_up` reaches its creation. `index` is the world's: each row that joins is entered there
    under its id.
    """

    __slots__ = ("_coming", "_index", "_next", "_removed", "owner", "rows")

    def __init__(
        self, owner: Row | None, index: dict[str, Row], coming: Iterable[Row] = ()
    ) -> None:
        self.owner = owner
        self.rows: list[Row] = []
        self._index = index
        self._coming = iter(coming)
        self._next: Row | None = None
        self._removed: dict[str, tuple[Row, int]] = {}

    def catch_up(self, now: float) -> None:
        """Add every row created up to `now`."""
        while True:
            if self._next is None:
                self._next = next(self._coming, None)
            if self._next is None or self._next.created > now:
                return
            self._join(self._next)
            self._next = None

    def add(self, row: Row, now: float) -> None:
        """Insert a row in order; it is the newest of its moment."""
        self.catch_up(now)
        if row.id in self._index:
            raise ValueError(f"there is a record {row.id} already")
        self._join(row)

    def _join(self, row: Row) -> None:
        row.shelf = self
        if row.id:
            self._index[row.id] = row
        if not self.rows or self.rows[-1].created <= row.created:
            self.rows.append(row)
        else:
            self.rows.insert(bisect_right(self.rows, row.created, key=BY_CREATION), row)

    def remove(self, row: Row) -> None:
        """Remove a row from the list; it can be restored."""
        first = bisect_left(self.rows, row.created, key=BY_CREATION)
        place = self.rows.index(row, first)
        del self.rows[place]
        # Its rank among rows of the same moment, to restore its exact place.
        self._removed[row.id] = (row, place - first)

    def restore(self, row_id: str) -> None:
        """Put a removed row back in its place."""
        row, rank = self._removed.pop(row_id)
        first = bisect_left(self.rows, row.created, key=BY_CREATION)
        last = bisect_right(self.rows, row.created, key=BY_CREATION)
        self.rows.insert(min(first + rank, last), row)

    def holds(self, row: Row) -> bool:
        """Whether a row that joined is still in the list."""
        return row.id not in self._removed


class Listing:
    """A list at one moment, newest first; only the requested page is copied."""

    def __init__(self, rows: list[Row], now: float) -> None:
        self._rows = rows
        self._now = now

    def __len__(self) -> int:
        return len(self._rows)

    def page(self, start: int, stop: int) -> list[bytes]:
        """The JSON of the rows from offset `start` up to `stop`, counted from the newest."""
        total, now = len(self._rows), self._now
        rows = self._rows[max(total - stop, 0) : max(total - start, 0)]
        return [row.render(now) for row in reversed(rows)]
