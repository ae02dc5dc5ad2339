"""Records as they are served, and the sorted shelves they stand on."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import orjson

BY_CREATION = attrgetter("created")


class NotFoundError(LookupError):
    """No such record is served: the API answers 404."""


class Row:
    """One record, kept as the JSON it is served as, so that a page is a matter of joining bytes.

    `created` is its place in the list (seconds since 1970 UTC), which is not always what its
    `created_at` says: a raw record may say anything.
    """

    __slots__ = ("body", "created", "id", "shelf", "state")

    shelf: Shelf
    changes_at: float = math.inf

    def __init__(self, created: float, fields: Any, row_id: str = "") -> None:
        self.created = created
        self.id = row_id
        self.write(fields)

    def write(self, fields: Any) -> None:
        # A copy, because orjson leaves each result in a buffer several times its size.
        self.body = bytes(memoryview(orjson.dumps(fields)))
        self.state = fields.get("state") if isinstance(fields, dict) else None

    def render(self, now: float) -> bytes:
        """The record's JSON at the moment `now`."""
        if now >= self.changes_at:
            self.move_on(now)
        return self.body

    def move_on(self, now: float) -> None:
        """Become what the record is at `now`; most never change by themselves."""

    def fields(self, now: float) -> Any:
        """The record as a client would read it at the moment `now`."""
        return orjson.loads(self.render(now))

    def matches(self, now: float, state: str | None, name: str | None) -> bool:
        """Whether the filters let it pass; a filter that is None lets everything pass."""
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
        """Neither it nor what it belongs to has been removed."""
        owner = self.shelf.owner
        return self.shelf.holds(self) and (owner is None or owner.served)


class Shelf:
    """The rows of one list, oldest first, some of them still to come.

    `coming` gives rows in order of creation, without end if need be; a row joins the list when
    `catch_up` is told a moment that has reached its creation. `index` is the world's: each row
    that joins is entered there under its id.
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
        """Let everything join that was created up to `now`."""
        while True:
            if self._next is None:
                self._next = next(self._coming, None)
            if self._next is None or self._next.created > now:
                return
            self._join(self._next)
            self._next = None

    def add(self, row: Row, now: float) -> None:
        """Put a row in its place; among rows of the same moment it is the newest."""
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
        """Take a row out of the list; it can be restored."""
        first = bisect_left(self.rows, row.created, key=BY_CREATION)
        place = self.rows.index(row, first)
        del self.rows[place]
        # Its rank among rows of the same moment, to give it back its exact place.
        self._removed[row.id] = (row, place - first)

    def restore(self, row_id: str) -> None:
        """Put a removed row back where it was."""
        row, rank = self._removed.pop(row_id)
        first = bisect_left(self.rows, row.created, key=BY_CREATION)
        last = bisect_right(self.rows, row.created, key=BY_CREATION)
        self.rows.insert(min(first + rank, last), row)

    def holds(self, row: Row) -> bool:
        """Whether a row that once joined is still on the list."""
        return row.id not in self._removed


class Listing:
    """What a list holds at one moment, read from the newest; nothing is copied but the page."""

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
