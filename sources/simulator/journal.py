"""The API requests received, without credentials."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from weakref import WeakSet

# Some 50 MB; longer benchmarks do not need the first ones.
CAPACITY = 100_000


class Entry(NamedTuple):
    """One API request.

    `status` is None if the connection ended without an answer; `time` is by the simulated clock,
    when the request arrived; `duration` is in real seconds. `fault` is the kind that hit it.
    """

    method: str
    path: str
    query: str
    status: int | None
    time: datetime
    duration: float
    authorized: bool
    credentials_sent: bool
    fault: str | None = None

    @property
    def path_qs(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    def as_json(self) -> dict[str, Any]:
        return {**self._asdict(), "time": self.time.isoformat()}


class Journal:
    """The latest 100,000 API requests, oldest first, and totals of all. Thread-safe.

    A request is added before its response is sent, so a client that has the response finds it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._under_way = 0
        self.clear()

    def clear(self) -> None:
        """Clear all; a connection that stays open counts again when it is next used."""
        with self._lock:
            self._entries: deque[Entry] = deque(maxlen=CAPACITY)
            self._open: WeakSet[Any] = WeakSet()
            self._requests = self._connections = 0
            self._peak = self._under_way

    @contextmanager
    def under_way(self, connection: object) -> Iterator[None]:
        """Count a request as in flight, and its TCP connection as used."""
        with self._lock:
            self._under_way += 1
            self._peak = max(self._peak, self._under_way)
            if connection is not None and connection not in self._open:
                self._open.add(connection)
                self._connections += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way -= 1

    @property
    def number_under_way(self) -> int:
        """How many requests are in flight now."""
        return self._under_way

    def add(self, entry: Entry) -> None:
        with self._lock:
            self._requests += 1
            self._entries.append(entry)

    def entries(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def count(self, pattern: str | None = None) -> int:
        """The number of requests; with a regular expression, of those that match it."""
        return sum(pattern is None or bool(re.search(pattern, e.path_qs)) for e in self.entries())

    @property
    def requests(self) -> int:
        """All requests since the journal was cleared, including those no longer kept."""
        return self._requests

    @property
    def connections(self) -> int:
        """The number of TCP connections used."""
        return self._connections

    @property
    def peak_in_flight(self) -> int:
        """The largest number of requests in flight at one time."""
        return self._peak

    def __len__(self) -> int:
        return len(self._entries)
