"""How far each campaign's orders have been loaded. Pure functions of plain values.

A campaign's cursor has a watermark on `updated_at`: of the orders that its walks read, every
version up to it is in the destination. The watermark stays behind the moment at which a walk
began, by the server's clock, less a margin for changes that become visible late; so an order that
changes while the walk goes on is always ahead of it. Versions between the watermark and the end of
the walk are remembered one by one.

All moments are in microseconds since the epoch, UTC.
"""

from __future__ import annotations

from typing import NamedTuple

from sources.signalwire.records.batch import OrderBatch, latest

LATE_COMMIT_MARGIN = 300_000_000
# Beyond this many versions newer than the watermark, none is remembered: they are loaded again.
MAX_RECENT = 2_000


class Cursor(NamedTuple):
    """What is known to be in the destination of one campaign's orders.

    `brand_id` is the brand the rows were loaded with; every order created up to
    `created_watermark` has been met; `full_walk_at` is when the campaign was last read to its end
    on purpose; `recent` are fingerprints of the versions loaded that are newer than `watermark`.
    """

    watermark: int
    brand_id: str
    created_watermark: int = 0
    full_walk_at: int = 0
    recent: frozenset[str] = frozenset()


def not_loaded(cursor: Cursor | None, batch: OrderBatch) -> list[int]:
    """Positions of the versions that are not in the destination, as far as the cursor can tell."""
    if cursor is None:
        return list(range(len(batch)))
    limit = cursor.watermark
    ahead = [n for n, moment in enumerate(batch.updated_at) if moment is None or moment > limit]
    if not ahead or not cursor.recent:
        return ahead
    return [
        n
        for n, mark in zip(ahead, batch.marks(ahead), strict=True)
        if batch.updated_at[n] is None or mark not in cursor.recent
    ]


def is_outdated(updated_at: int | None, by: int | None, now: int) -> bool:
    """Whether a version read now is older than one of the same order that was read before it.

    What is read later is newer, unless the times of change say the opposite; a missing one says
    nothing, nor does one in the future.
    """
    if updated_at is None or by is None or by > now:
        return False
    return updated_at < by


class CursorMove:
    """Where the cursor ends up after one walk of one campaign, and what is new on the way."""

    def __init__(self, cursor: Cursor | None, brand_id: str) -> None:
        # rows carry the brand's id: should a campaign move to another brand, all are loaded again
        self.cursor = cursor if cursor and cursor.brand_id == brand_id else None
        self._brand_id = brand_id
        self._began_at: int | None = None
        self._highest: int | None = None
        self._newest = 0
        self._recent: set[str] = set()
        self._found_new = False

    def read(self, batch: OrderBatch, served_at: int | None) -> list[int]:
        """Takes note of a page, and returns the positions of versions that are not loaded yet.

        `served_at` is the server's clock when the page was served. The first one that is known
        counts as the beginning of the walk; without one the watermark cannot be set.
        """
        if self._began_at is None:
            self._began_at = served_at
        self._newest = max(self._newest, latest(batch.created_at) or 0)
        self._note_changes(batch)
        new = not_loaded(self.cursor, batch)
        self._found_new = self._found_new or bool(new)
        return new

    def end(self, *, full: bool = False) -> Cursor | None:
        """The cursor after a walk that read all it meant to; `full`: to the end, on purpose.

        It is the old one itself when nothing was new: then the state need not be written.
        """
        if self._began_at is None or not (full or self._found_new):
            return self.cursor
        limit = self._began_at - LATE_COMMIT_MARGIN
        before = self.cursor or Cursor(0, self._brand_id)
        return Cursor(
            watermark=min(limit, before.watermark if self._highest is None else self._highest),
            brand_id=self._brand_id,
            created_watermark=max(before.created_watermark, min(limit, self._newest)),
            full_walk_at=self._began_at if full else before.full_walk_at,
            recent=frozenset(self._recent if len(self._recent) <= MAX_RECENT else ()),
        )

    def _note_changes(self, batch: OrderBatch) -> None:
        highest = latest(batch.updated_at)
        if self._began_at is None or highest is None:
            return
        self._highest = highest if self._highest is None else max(highest, self._highest)
        limit = self._began_at - LATE_COMMIT_MARGIN
        if highest > limit and len(self._recent) <= MAX_RECENT:
            moments = enumerate(batch.updated_at)
            recent = [n for n, moment in moments if moment is not None and moment > limit]
            self._recent.update(batch.marks(recent))
