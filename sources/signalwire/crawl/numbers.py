"""Number assignments: each campaign's list is read whole and compared with the destination."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.crawl.comparison import Comparison
from sources.signalwire.crawl.known_campaigns import KnownCampaigns
from sources.signalwire.crawl.lists import Lists
from sources.signalwire.crawl.output import Output
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.diff import dated, newest_of_each
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS
from sources.signalwire.stats import RunStats


class Numbers:
    """Reads lists of assignments, and marks those that two readings of their list lack.

    An assignment has no URL that could be asked whether it is gone.
    """

    def __init__(
        self,
        lists: Lists,
        convert: Callable[[PageRecords], Awaitable[pa.Table]],
        output: Output,
        existing: KnownData,
        known: KnownCampaigns,
        clock: ServerClock,
        stats: RunStats,
    ) -> None:
        """`convert` makes rows of a page."""
        self._lists = lists
        self._convert = convert
        self._output = output
        self._existing = existing
        self._known = known
        self._clock = clock
        self._stats = stats
        self._comparison = Comparison(
            output, existing, clock, stats, self._lacking, NUMBER_ASSIGNMENTS, self._changed
        )
        self._lacked: list[str] = []
        self._gone: list[str] = []
        # what is new or changed in a list; one that is new there may have left another one
        self._met: set[str] = set()

    async def read(self, origin: Origin) -> None:
        """Reads a campaign's list. Raises ReadError where that fails."""
        async for page in self._lists.pages(origin):
            self._stats.add(numbers_seen=len(page.records))
            rows = await self._convert(PageRecords(origin, page.records, page.read_at))
            if len(rows):
                # ahead of all readings in the destination, which the page's time may not be
                self._comparison.add(origin, dated(rows, self._known.now(), "read_at"))
        self._comparison.walked(origin)

    def of_campaign_gone(self, campaign_id: str) -> None:
        """Notes that a campaign is gone, and all its assignments with it."""
        rows = self._existing.of_campaigns(NUMBER_ASSIGNMENTS, [campaign_id])
        self._gone += rows["id"].to_pylist()

    def finish(self) -> None:
        """Compares what is left, and marks what is missing: when all lists are read."""
        self._comparison.finish()
        missing = self._rows(self._lacked)
        again = pc.is_valid(missing["missing_since"])
        now = self._known.now()
        self._output.rows(
            NUMBER_ASSIGNMENTS, dated(missing.filter(pc.invert(again)), now, "missing_since")
        )
        gone = pa.concat_tables([missing.filter(again), self._rows(self._gone)])
        self._stats.add(numbers_deleted=len(gone))
        self._output.rows(
            NUMBER_ASSIGNMENTS, dated(newest_of_each(gone), now, "read_at", "deleted_at")
        )

    def _rows(self, ids: list[str]) -> pa.Table:
        """Those of some assignments that no other list has, if not marked as deleted yet."""
        rows = self._existing.by_id(NUMBER_ASSIGNMENTS, [i for i in ids if i not in self._met])
        return rows.filter(pc.is_null(rows["deleted_at"]))

    def _lacking(self, _: Origin, ids: list[str]) -> None:
        self._lacked += ids

    def _changed(self, rows: pa.Table) -> None:
        # nothing can have left a list while nothing is known; a first load has a million of them
        if self._known.has_numbers():
            self._met.update(rows["id"].to_pylist())
        self._output.rows(NUMBER_ASSIGNMENTS, rows)
