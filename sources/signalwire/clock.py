"""The server's clock, as far as its answers tell it."""

from __future__ import annotations

import threading
import time
from datetime import datetime

from sources.signalwire.cursor import microseconds


class ServerClock:
    """Tells the server's time in microseconds since the epoch (UTC), never the same time twice.

    It is set by the first answer's Date header, which is cut to whole seconds, and runs on by this
    machine's own count; so it may be up to a second behind, and is never ahead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset: int | None = None
        self._last = 0

    def set(self, served_at: datetime | None) -> None:
        """Takes the time from an answer; only the first one counts."""
        if served_at is not None and self._offset is None:
            self._offset = microseconds(served_at) - time.monotonic_ns() // 1000

    def stay_ahead_of(self, moment: int) -> None:
        """Makes every further reading later than `moment`."""
        with self._lock:
            self._last = max(self._last, moment)

    def now(self) -> int:
        """The current time; this machine's own while the server has not told any."""
        with self._lock:
            offset = self._offset
            if offset is None:
                offset = time.time_ns() // 1000 - time.monotonic_ns() // 1000
            self._last = max(self._last + 1, offset + time.monotonic_ns() // 1000)
            return self._last
