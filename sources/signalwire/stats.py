"""What a run has done so far, safe to update and to watch from several threads."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field


@dataclass
class Counts:
    """Plain counts.

    `requests` are those sent, tries and redirects included, `retries` the tries after the first;
    `orders_seen` are order records the API served (one that slid to a later page meanwhile counts
    twice), `orders_loaded` those handed to the destination because they are new or changed.
    `campaigns` were found, `campaigns_walked` read as far as needed, `campaigns_failed` and
    `brands_failed` could not be; `campaigns_idle` were left out, as users can ask for; `full_walks`
    are those read to the end to compare all with the destination, `orders_deleted` orders found
    deleted from the API. The counts of `numbers` are the same of number assignments.
    """

    requests: int = 0
    retries: int = 0
    pages: int = 0
    brands: int = 0
    brands_failed: int = 0
    campaigns: int = 0
    campaigns_walked: int = 0
    campaigns_failed: int = 0
    campaigns_idle: int = 0
    orders_seen: int = 0
    orders_loaded: int = 0
    orders_deleted: int = 0
    numbers_seen: int = 0
    numbers_loaded: int = 0
    numbers_deleted: int = 0
    full_walks: int = 0
    rejected: int = 0


@dataclass
class RunStats:
    """One run: its id, its mode once that is known, its counts, and what it could not read.

    `narrowed_to` is what it was limited to, as JSON; None if unlimited.
    """

    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    mode: str = ""
    narrowed_to: str | None = None
    failures: list[str] = field(default_factory=list)
    _counts: Counts = field(default_factory=Counts)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **counts: int) -> None:
        """Adds to the counts named."""
        with self._lock:
            for name, count in counts.items():
                setattr(self._counts, name, getattr(self._counts, name) + count)

    def counts(self) -> dict[str, int]:
        """The counts by name, all of one moment."""
        with self._lock:
            return dict(vars(self._counts))

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for could be read."""
        return not self.failures
