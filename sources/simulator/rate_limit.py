"""A limit of requests per second; the time is a parameter."""

from __future__ import annotations


class RateLimit:
    """A token bucket of one second's worth of requests."""

    def __init__(self, per_second: float) -> None:
        if not per_second > 0:
            raise ValueError("a rate limit is a number of requests per second, above 0")
        self._per_second = per_second
        self._capacity = max(per_second, 1.0)
        self._left = self._capacity
        self._filled_at: float | None = None

    def wait(self, now: float) -> float:
        """Seconds until this request is allowed; 0 allows it and takes a token."""
        if self._filled_at is not None:
            filled = self._left + (now - self._filled_at) * self._per_second
            self._left = min(filled, self._capacity)
        self._filled_at = now
        if self._left < 1:
            return (1 - self._left) / self._per_second
        self._left -= 1
        return 0.0
