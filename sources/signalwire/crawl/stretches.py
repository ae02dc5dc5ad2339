"""Long reads in stretches: each is loaded, with its cursors, before the next, so a kill costs one.

When to cut is decided here; where, by the crawler: between two steps of its coroutines, with all
rows handed over that the cursors speak of.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from typing import NamedTuple

from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.state import Cursors
from sources.signalwire.records.batch import TableRows

# seconds: a shorter run is loaded at once, and no stretch is shorter
FIRST_AFTER, SHORTEST = 10.0, 2.0
# a stretch takes at least this share of the run, and so many times as long as loading the last one
SHARE_OF_RUN, TIMES_LOADING = 0.03, 6.0
# one of so many rows takes as long as loading, so that they are loaded all the time
MANY_ROWS = 20_000
# what is not loaded lies on disk
MOST_ROWS = 2_000_000


class Cut(NamedTuple):
    """The end of a stretch: the cursors as they may be stored with what was handed over so far."""

    cursors: Mapping[str, Cursor]


def is_due(*, elapsed: float, since_cut: float, loading: float, rows: int) -> bool:
    """Whether to cut now, with so many `rows` since the last cut.

    In seconds: `elapsed` since reading began, and what `loading` the last stretch took.
    """
    if rows >= MOST_ROWS:
        return True
    times = 1 if rows >= MANY_ROWS else TIMES_LOADING
    shortest = max(SHORTEST, times * loading, SHARE_OF_RUN * elapsed)
    return elapsed >= FIRST_AFTER and since_cut >= shortest


class Stretches:
    """What a run keeps from one stretch to the next: what is being read, and the cursors.

    `is_over` after the last one.
    """

    items: Generator[TableRows | Cut]
    cursors: Cursors

    def __init__(self, *, is_whole: bool = False) -> None:
        """With `is_whole` there is one stretch, however long it takes."""
        self.is_over = False
        self.has_begun = False
        self._is_whole = is_whole
        self._loading = 0.0

    def begin(self, items: Generator[TableRows | Cut], cursors: Cursors) -> None:
        """Begins with the first stretch."""
        self.items, self.cursors = items, cursors
        self.has_begun = True
        self._began_at = self._cut_at = time.monotonic()

    def close(self) -> None:
        """Reads no further."""
        if self.has_begun:
            self.items.close()

    def is_due(self, rows: int) -> bool:
        """Whether to cut now, with so many rows since the last one."""
        if self._is_whole:
            return False
        now = time.monotonic()
        return is_due(
            elapsed=now - self._began_at,
            since_cut=now - self._cut_at,
            loading=self._loading,
            rows=rows,
        )

    def cut(self) -> None:
        """Notes that a stretch ends."""
        self._cut_at = time.monotonic()

    def end(self) -> None:
        """Notes that all rows of a stretch have been taken, and loading them begins."""
        self._ended_at = time.monotonic()

    def loaded(self) -> None:
        """Notes that a stretch is loaded: the next takes so many times as long as that took."""
        self._loading = time.monotonic() - self._ended_at
