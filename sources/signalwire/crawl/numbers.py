"""Number assignments: each campaign's list is read whole and compared with the destination."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.crawl.comparison import Comparison
from sources.signalwire.crawl.known_campaigns import KnownCampaigns
from sources.signalwire.crawl.lists import Lists
from sources.signalwire.crawl.output import Output
from sources.signalwire.incremental.diff import dated, marked_as_deleted
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS
from sources.signalwire.stats import RunStats


@dataclass(eq=False)
class Numbers:
    """Reads lists of assignments, and marks those that two readings of their list lack.

    An assignment has no URL that could be asked whether it is gone. `convert` makes rows of a page.
    """

    lists: Lists
    convert: Callable[[PageRecords], Awaitable[pa.Table]]
    output: Output
    existing: KnownData
    known: KnownCampaigns
    stats: RunStats

    def __post_init__(self) -> None:
        self._lacked: list[str] = []
        self._comparison = Comparison(
            NUMBER_ASSIGNMENTS,
            self.existing,
            self._changed,
            lambda _, ids: self._lacked.extend(ids),
        )
        self._campaigns_gone: list[str] = []
        # what is new or changed in a list; one that is new there may have left another one
        self._met: set[str] = set()

    async def read(self, origin: Origin) -> None:
        """Reads a campaign's list. Raises ReadError where that fails."""
        async for page in self.lists.pages(origin):
            self.stats.add(numbers_seen=len(page.records))
            # by a clock ahead of all readings in the destination, which the page's may not be
            rows = await self.convert(page._replace(read_at=self.known.now()))
            if len(rows):
                self._comparison.add(origin, rows)
        self._comparison.walked(origin)

    def campaign_gone(self, campaign_id: str) -> None:
        """Notes that a campaign is gone, and all its assignments with it."""
        self._campaigns_gone.append(campaign_id)

    def finish(self) -> None:
        """Compares what is left, and marks what is missing: when all lists are read."""
        self._comparison.finish()
        now = self.known.now()
        missing = self._nowhere(self.existing.by_id(NUMBER_ASSIGNMENTS, self._lacked))
        again = pc.is_valid(missing["missing_since"])
        self.output.rows(
            NUMBER_ASSIGNMENTS, dated(missing.filter(pc.invert(again)), now, "missing_since")
        )
        gone = self.existing.of_campaigns(NUMBER_ASSIGNMENTS, self._campaigns_gone)
        for rows in (missing.filter(again), self._nowhere(gone)):
            marked = marked_as_deleted(rows, now)
            self.stats.add(numbers_deleted=len(marked))
            self.output.rows(NUMBER_ASSIGNMENTS, marked)

    def _nowhere(self, rows: pa.Table) -> pa.Table:
        """Those of some assignments that no other list has."""
        nowhere = [number_id not in self._met for number_id in rows["id"].to_pylist()]
        return rows.filter(pa.array(nowhere, pa.bool_()))

    def _changed(self, rows: pa.Table) -> None:
        # nothing can have left a list while nothing is known; a first load has a million of them
        if self.known.has_numbers():
            self._met.update(rows["id"].to_pylist())
        self.output.rows(NUMBER_ASSIGNMENTS, rows)
