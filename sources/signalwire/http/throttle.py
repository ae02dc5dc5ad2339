"""What holds requests back: their number at a time, and pauses that the API asks for."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime

from sources.signalwire.errors import Stopped
from sources.signalwire.http.concurrency import Concurrency


def retry_after_seconds(header: str, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as seconds or as an HTTP date.

    `now` is the current time in seconds since the epoch. None when the header says nothing usable.
    """
    text = header.strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


class Throttle:
    """Lets requests out, one by one, from any thread: when the API wants, and so many at a time."""

    def __init__(self, concurrency: Concurrency, max_wait: float) -> None:
        self._concurrency = concurrency
        self._max_wait = max_wait
        self._until = 0.0
        self._under_way = 0
        self._waiting = 0
        self._stopped = False
        self._changed = threading.Condition()

    def enter(self) -> int:
        """Waits until a request may be sent; the round that `leave` needs to know.

        Raises:
            Stopped: `stop` was called.
        """
        with self._changed:
            while True:
                if self._stopped:
                    raise Stopped("the run is ending")
                left = self._until - time.monotonic()
                if left <= 0 and self._under_way < self._concurrency.limit:
                    self._under_way += 1
                    return self._concurrency.round
                self._waiting += 1
                self._changed.wait(left if left > 0 else None)
                self._waiting -= 1

    def leave(self) -> None:
        """Makes room for another request."""
        with self._changed:
            self._under_way -= 1
            room = self._concurrency.limit - self._under_way
            if room > 0 and self._waiting:
                self._changed.notify(room)

    def answered(self, round_: int, seconds: float | None) -> None:
        """Takes note of an answer, and of how long it took if that tells something."""
        with self._changed:
            now = time.monotonic()
            self._concurrency.answered(round_, seconds, now, under_way=self._under_way)

    def refused(self, round_: int, pause: float, *, asked: bool) -> None:
        """Takes note of a 429: all wait, at most the longest wait allowed.

        Where it was not `asked` for, the pause is made only if it may do good.
        """
        with self._changed:
            if self._concurrency.refused(round_, time.monotonic()) or asked:
                until = time.monotonic() + min(pause, self._max_wait)
                self._until = max(self._until, until)

    def failed(self, round_: int) -> None:
        """Takes note of an error that passes."""
        with self._changed:
            self._concurrency.failed(round_)

    def stop(self) -> None:
        """Lets no further request out, and wakes those that wait."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
