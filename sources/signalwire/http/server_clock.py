"""The server's clock, as far as its answers tell it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from sources.signalwire.records.values import CLOCK_TOLERANCE, is_ahead, microseconds

DAY = 24 * 3_600_000_000


@dataclass
class _Group:
    """Answers whose clocks agree: how far ahead of this machine's count the first was."""

    offset: int
    answers: int = 0


class ServerClock:
    """Tells the server's time in microseconds since the epoch (UTC), never the same time twice.

    It is the time on which most answers' Date headers agree, within an hour; of equally many those
    nearest to this machine's clock. So one absurd header changes nothing. The first of those that
    agree sets it, cut to whole seconds, and it runs on by this machine's own count; so it may be up
    to a second behind.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._machine = time.time_ns() // 1000 - _count()
        self._groups: list[_Group] = []
        self._agreed: _Group | None = None
        self._earliest = 0
        self._last = 0

    def note(self, served_at: datetime | None) -> int | None:
        """Takes the time from an answer's Date header, and returns when it was served.

        That is what the header says, unless it is missing or absurd, and others agree on a time.
        """
        said = None if served_at is None else microseconds(served_at)
        with self._lock:
            count = _count()
            if said is not None:
                self._add(said - count)
            agreed = self._agreed
            if agreed is None or (said is None and agreed.answers == 1):
                return None
            now = agreed.offset + count
            # an answer may come from a cache; an early time is safe where a late one is not
            if said is not None and now - DAY <= said and not is_ahead(said, now):
                return said
            return now

    def stay_ahead_of(self, moment: int) -> None:
        """Makes every further reading later than `moment`."""
        with self._lock:
            self._earliest = max(self._earliest, moment)
            self._last = max(self._last, moment)

    def now(self) -> int:
        """The current time; this machine's own until the server has sent one."""
        with self._lock:
            offset = self._machine if self._agreed is None else self._agreed.offset
            self._last = max(self._last + 1, offset + _count())
            return self._last

    def horizon(self) -> int | None:
        """A moment after which nothing can have happened yet; None while no two answers agree.

        It lies ahead of both clocks, the server's and this machine's: what was written by a clock
        that was right can be ahead of one of them, but not of both.
        """
        with self._lock:
            if self._agreed is None or self._agreed.answers == 1:
                return None
            return max(self._agreed.offset, self._machine) + _count() + CLOCK_TOLERANCE

    def _add(self, offset: int) -> None:
        agreed = self._agreed
        if agreed is not None and abs(offset - agreed.offset) <= CLOCK_TOLERANCE:
            agreed.answers += 1
            return
        near = (g for g in self._groups if abs(offset - g.offset) <= CLOCK_TOLERANCE)
        group = next(near, None)
        if group is None:
            group = _Group(offset)
            self._groups.append(group)
        group.answers += 1
        if agreed is None or self._rank(group) > self._rank(agreed):
            # times by the previous one may lie in the future
            self._agreed, self._last = group, self._earliest

    def _rank(self, group: _Group) -> tuple[int, int]:
        return group.answers, -abs(group.offset - self._machine)


def _count() -> int:
    """Microseconds by a clock that nothing sets."""
    return time.monotonic_ns() // 1000
