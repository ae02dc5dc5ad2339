"""One brake for all workers: when the API says 429 to one of them, all of them wait."""

from __future__ import annotations

import threading
import time
from email.utils import parsedate_to_datetime


def retry_after_seconds(header: str | None, now: float) -> float | None:
    """Seconds that a `Retry-After` header asks for, given as seconds or as an HTTP date.

    `now` is the current time in seconds since the epoch. None when the header says nothing usable.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


class Pace:
    """Holds requests back until the moment the API asked for."""

    def __init__(self, max_wait: float) -> None:
        self._max_wait = max_wait
        self._until = 0.0
        self._lock = threading.Lock()

    def slow_down(self, seconds: float) -> None:
        """Holds everybody back for `seconds` from now, at most the longest wait allowed."""
        with self._lock:
            self._until = max(self._until, time.monotonic() + min(seconds, self._max_wait))

    def wait(self, stop: threading.Event) -> None:
        """Returns when requests may go out again, or as soon as `stop` is set."""
        while (left := self._until - time.monotonic()) > 0 and not stop.wait(left):
            pass
