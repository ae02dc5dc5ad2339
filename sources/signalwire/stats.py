"""What a run has done so far, safe to update and to watch from several threads."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field

# what a run counts
COUNTS = (
    "requests",  # all that were sent, tries and redirects included
    "retries",  # tries after the first
    "pages",
    "brands",
    "brands_failed",  # could not be read
    "campaigns",  # all that were found
    "campaigns_walked",  # read as far as needed
    "campaigns_failed",  # could not be read
    "campaigns_idle",  # left out, as users can ask for
    "orders_seen",  # served by the API; one that slid to a later page meanwhile counts twice
    "orders_loaded",  # handed to the destination, because they are new or changed
    "orders_deleted",  # found deleted from the API
    "numbers_seen",  # these three are the same of number assignments
    "numbers_loaded",
    "numbers_deleted",
    "full_walks",  # campaigns read to the end, to compare all with the destination
    "rejected",
)


@dataclass
class RunStats:
    """One run: its id, its mode once that is known, its counts, and what it could not read.

    `narrowed_to` is what it was limited to, as JSON; None if unlimited.
    """

    run_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    mode: str = ""
    narrowed_to: str | None = None
    failures: list[str] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **counts: int) -> None:
        """Adds to the counts named."""
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count

    def counts(self) -> dict[str, int]:
        """The counts by name, all of one moment."""
        with self._lock:
            return dict(self._counts)

    @property
    def complete(self) -> bool:
        """Whether everything that was asked for could be read."""
        return not self.failures
