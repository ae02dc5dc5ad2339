"""The simulated clock: runs at any speed, stands still, or is advanced explicitly."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime, timezone


class Clock:
    """A clock in UTC that starts at `start` (default: now) and runs at `speed` times real time.

    At speed 0 it stands still and only `advance` moves it. It never goes backwards.
    All methods may be called from any thread.
    """

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        if start is None:
            start = datetime.now(timezone.utc)
        if start.tzinfo is None:
            raise ValueError("the clock's start needs a time zone")
        self.start = start.astimezone(timezone.utc)
        self._lock = threading.Lock()
        self._speed = _checked_speed(speed)
        self._shown = self.start.timestamp()
        self._read_at = time.monotonic()

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    def now(self) -> datetime:
        """The simulated time, aware, in UTC."""
        return datetime.fromtimestamp(self.seconds(), timezone.utc)

    def seconds(self) -> float:
        """The simulated time in seconds since 1970-01-01 00:00 UTC."""
        with self._lock:
            return self._move()

    def advance(self, seconds: float) -> None:
        """Advance the clock by `seconds` simulated seconds, whatever its speed."""
        if not (math.isfinite(seconds) and seconds >= 0):
            raise ValueError("the clock moves on by a number of seconds, 0 or more")
        with self._lock:
            target = self._move() + seconds
            try:
                datetime.fromtimestamp(target, timezone.utc)
            except (OverflowError, ValueError, OSError):
                raise ValueError("the clock cannot go beyond the year 9999") from None
            self._shown = target

    def set_speed(self, speed: float) -> None:
        """Change the speed from now on; the time does not jump."""
        speed = _checked_speed(speed)
        with self._lock:
            self._move()
            self._speed = speed

    def _move(self) -> float:
        """Update the stored time to this moment."""
        moment = time.monotonic()
        self._shown += (moment - self._read_at) * self._speed
        self._read_at = moment
        return self._shown

    def __repr__(self) -> str:
        return f"<Clock {self.now().isoformat()} speed={self._speed:g}>"


def _checked_speed(speed: float) -> float:
    if not (math.isfinite(speed) and speed >= 0):
        raise ValueError("a clock's speed is a number, 0 or more")
    return speed
