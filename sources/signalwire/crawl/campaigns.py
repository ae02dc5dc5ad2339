"""What is read of one campaign: its orders and, if asked for, its number assignments."""

from __future__ import annotations

from collections.abc import Callable

from sources.signalwire.crawl.known_campaigns import KnownCampaigns
from sources.signalwire.crawl.lists import Lists, path_of
from sources.signalwire.crawl.orders import OrderWalk, Tools
from sources.signalwire.errors import ReadError
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.depth import depth_of, is_full_walk_due
from sources.signalwire.incremental.state import Cursors
from sources.signalwire.options import Options
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS, ORDERS
from sources.signalwire.records.values import is_ahead


class CampaignReader:
    """Reads one campaign at a time, as far as it is due, and moves its cursor."""

    def __init__(
        self,
        tools: Tools,
        lists: Lists,
        known: KnownCampaigns,
        cursors: Cursors,
        options: Options,
        clock: ServerClock,
        failed: Callable[[Origin, str], None],
    ) -> None:
        """`failed` records a list that could not be read."""
        self._tools = tools
        self._lists = lists
        self._known = known
        self._cursors = cursors
        self._options = options
        self._clock = clock
        self._failed = failed

    async def read(self, brand_id: str, campaign_id: str) -> None:
        """One campaign's orders and number assignments, as far as they are asked for."""
        base, wanted = path_of("campaigns", campaign_id), self._options.resources
        reading = {ORDERS: ("orders", self._orders), NUMBER_ASSIGNMENTS: ("numbers", self._numbers)}
        for table, (name, read) in reading.items():
            if table.name not in wanted:
                continue
            origin = Origin(f"{base}/{name}", brand_id, campaign_id)
            try:
                await read(origin)
            except ReadError as error:
                self._failed(origin, str(error))
                return
        if not wanted.isdisjoint(table.name for table in reading):
            self._tools.stats.add(campaigns_walked=1)

    async def _orders(self, origin: Origin) -> None:
        campaign_id = str(origin.campaign_id)
        known = self._known.campaign(campaign_id)
        walk = OrderWalk(self._tools, origin, self._cursor(campaign_id), known)
        if self._options.order_state is not None:
            await walk.in_state(self._options.order_state)
            return
        due = self.is_due(walk.cursor)
        depth = depth_of(known, due=due)
        compared = depth.is_compared
        self._tools.stats.add(full_walks=int(compared and walk.cursor is not None))
        await walk.read(depth)
        if cursor := walk.end(full=due and known is not None):
            self._cursors.advance(campaign_id, cursor)
        if compared:
            self._tools.comparison.walked(origin)

    async def _numbers(self, origin: Origin) -> None:
        async for page in self._lists.pages(origin):
            self._tools.output.numbers(PageRecords(origin, page.records, page.read_at))

    async def unlisted(self, brand_id: str, campaign_id: str) -> None:
        """A campaign that the destination knows and no list has: gone, or just passed over."""
        origin = Origin(path_of("campaigns", campaign_id), brand_id, campaign_id)
        try:
            exists = await self._lists.is_campaign(campaign_id)
        except ReadError as error:
            self._failed(origin, str(error))
            return
        if not exists:
            if cursor := self._cursors.after().get(campaign_id):
                moved = cursor._replace(full_walk_at=self._clock.now())
                self._cursors.advance(campaign_id, moved)
            # last, because the cursor stays where it was if one of them cannot be read
            await self.orders_by_id(origin, self._known.orders_of(campaign_id))
        elif self._options.shard is None:
            # in a shard it has most likely moved to a brand of another one, which reads it
            await self.read(brand_id, campaign_id)

    async def orders_by_id(self, origin: Origin, order_ids: list[str]) -> None:
        """Orders that the destination has and a whole list lacks, one by one."""
        walk = OrderWalk(self._tools, origin, self._cursor(str(origin.campaign_id)), None)
        try:
            for order_id in order_ids:
                await walk.one(order_id)
        except ReadError as error:
            self._failed(origin, str(error))

    def _cursor(self, campaign_id: str) -> Cursor | None:
        """The cursor to start from; one that a wrong clock has set would hide what is new."""
        cursor = self._cursors.before(campaign_id)
        if cursor is None:
            return None
        newest = max(cursor.watermark, cursor.created_watermark)
        return None if is_ahead(newest, self._clock.now()) else cursor

    def is_due(self, cursor: Cursor | None) -> bool:
        """Whether a campaign with this cursor is to be read to its end in this run."""
        if self._options.full or cursor is None:
            return True
        every = int(self._options.full_walk_every * 1_000_000)
        return is_full_walk_due(cursor.full_walk_at, self._clock.now(), every)
