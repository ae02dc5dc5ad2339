"""One run's way through a space: brands, their campaigns, each campaign's orders, concurrently."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from sources.signalwire.crawl.campaigns import CampaignReader
from sources.signalwire.crawl.comparison import Comparison
from sources.signalwire.crawl.known_campaigns import KnownCampaigns
from sources.signalwire.crawl.lists import Lists, path_of
from sources.signalwire.crawl.numbers import Numbers
from sources.signalwire.crawl.orders import Tools
from sources.signalwire.crawl.output import Output
from sources.signalwire.crawl.registry import Owners, Registry
from sources.signalwire.crawl.run_record import RunRecord
from sources.signalwire.crawl.scheduler import Gathered, RequestPool, Scheduler, walks_for
from sources.signalwire.crawl.stretches import Cut, Stretches
from sources.signalwire.errors import ReadError, Stopped
from sources.signalwire.http.client import Client
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.incremental.state import Cursors
from sources.signalwire.options import Options
from sources.signalwire.records.batch import Origin, PageRecords, TableRows
from sources.signalwire.records.convert import id_of, usable_ids
from sources.signalwire.records.schema import BRANDS, CAMPAIGNS, ORDERS
from sources.signalwire.settings import PAGES_TOGETHER, REGISTRY
from sources.signalwire.stats import RunStats

# a moment within which a stretch that is due may go on
SECONDS_BETWEEN_LOOKS = 0.1


@dataclass(eq=False)
class Crawler:
    """Reads everything selected, and hands over the rows that are new or changed.

    A campaign or brand that cannot be read becomes a failure and does not stop the others.
    """

    client: Client
    options: Options
    cursors: Cursors
    stats: RunStats
    record: RunRecord
    existing: KnownData
    stretches: Stretches

    def __post_init__(self) -> None:
        self._stop: Callable[[], object] = self.client.close
        self._seen: set[str] = set()
        self._not_found_yet = {i.lower(): i for i in self.options.campaign_ids}

    def run(self, hand_over: Callable[[TableRows | Cut], None]) -> None:
        """Crawls in this thread until everything is read; `hand_over` may wait.

        Raises:
            AccessDenied: the credentials or their scopes are refused.
            ReadError: the list of brands, where everything begins, cannot be read.
            Stopped: `stop` was called.
        """
        try:
            asyncio.run(self._crawl(hand_over))
        except asyncio.CancelledError:
            raise Stopped("the run is ending") from None

    def stop(self) -> None:
        """Sends no further request, from any thread. `run` ends with `Stopped`."""
        self.client.close()
        with suppress(RuntimeError):  # the event loop has ended by itself meanwhile
            self._stop()

    async def _crawl(self, hand_over: Callable[[TableRows | Cut], None]) -> None:
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        assert task is not None
        self._stop = partial(loop.call_soon_threadsafe, task.cancel)
        pool = RequestPool(self.options.workers, self.client.get)
        self._hand_over = hand_over
        self._set_up(pool)
        try:
            await self._read_all()
            self._output.finish()
            if self.record.failures:
                hand_over(self.record.failure_rows())
        finally:
            self.client.stop()
            self._walks.close()
            pool.close()

    def _set_up(self, pool: RequestPool) -> None:
        options, stats, existing = self.options, self.stats, self.existing
        clock, cursors = self.client.clock, self.cursors
        self._walks = Scheduler(lambda: walks_for(self.client.concurrency.limit))
        pool.on_response.append(self._walks.fill)
        self._lists = lists = Lists(pool.get, stats, options.page_size)
        self._output = output = Output(self._hand_over, stats, options.include_sensitive)
        orders = Gathered(output.orders_of, pool, PAGES_TOGETHER)
        numbers = Gathered(output.numbers_of, pool, PAGES_TOGETHER)
        self._known = known = KnownCampaigns(existing, clock, options, cursors.forget)
        self._owners = Owners(
            {campaign: cursor.brand_id for campaign, cursor in cursors.after().items()},
            some_brands_only=bool(options.brand_ids),
        )
        self._registry = Registry(output, existing, options.resources, self._owners, known.now)
        self._comparison = Comparison(ORDERS, existing, partial(output.rows, ORDERS), self._look_up)
        self._numbers = Numbers(lists, numbers.of, output, existing, known, stats)
        tools = Tools(lists, orders.of, existing, known, output, clock, stats)
        self._reader = CampaignReader(
            tools, self._comparison, self._numbers, self._registry, cursors, options, self._failed
        )

    async def _read_all(self) -> None:
        for brand_id in self.options.brand_ids:
            self._walks.add(partial(self._brand, brand_id))
        if not self.options.brand_ids:
            self._walks.add(self._brands)
        await self._finished()
        if self.options.shard:
            self._list_again_where_campaigns_are_missing()
            await self._finished()
        # a campaign can be in the lists of several brands, or in that of another one than before
        for campaign_id, brand_id in self._owners.still_to_read():
            self._walks.add(partial(self._reader.read, brand_id, campaign_id))
        self._registry.finish()
        await self._finished()
        for campaign_id, brand_id in self._unlisted().items():
            self._walks.add(partial(self._reader.unlisted, brand_id, campaign_id))
        if self._lists_are_whole():
            for brand_id in self._registry.unlisted(BRANDS, self._seen):
                self._walks.add(partial(self._unlisted_brand, brand_id))
        await self._finished()
        self._numbers.finish()
        self._registry.mark_gone()
        for campaign_id in sorted(self._not_found_yet.values()):
            origin = Origin(path_of("campaigns", campaign_id), None, campaign_id)
            reason = f"campaign {campaign_id} is not among the campaigns listed"
            self._failed(origin, reason)

    async def _finished(self) -> None:
        """Waits for all walks, and for those that comparing their orders leads to."""
        while not await self._walks.finish(SECONDS_BETWEEN_LOOKS) or self._comparison.finish():
            self._cut_if_due()

    def _cut_if_due(self) -> None:
        """Ends a stretch if one is due, between two steps of all walks."""
        rows = self._output.taken
        if (rows or self.cursors.have_moved) and self.stretches.is_due(rows):
            self._output.finish()
            self._hand_over(Cut(self.cursors.settled([*self._comparison.waiting])))
            self.stretches.cut()

    async def _brands(self) -> None:
        """All brands of the space. If they cannot be listed, nothing else can be read."""
        async for page in self._lists.pages(Origin(f"{REGISTRY}/brands")):
            self._found_brands(page)

    async def _brand(self, brand_id: str) -> None:
        try:
            self._found_brands(await self._lists.brand(brand_id))
        except ReadError as error:
            self._failed(Origin(path_of("brands", brand_id), brand_id), str(error))

    def _found_brands(self, page: PageRecords) -> None:
        if shard := self.options.shard:
            # a record without an id belongs to every shard, so that it is not overlooked
            ours = [
                r for r in page.records if not isinstance(id_of(r), str) or shard.holds(r["id"])
            ]
            page = page._replace(records=ours)
        self._registry.add(BRANDS, page)
        new = self._unseen(usable_ids(page.records))
        self.stats.add(brands=len(new))
        for brand_id in new:
            self._walks.add(partial(self._campaigns_of, brand_id))

    async def _campaigns_of(self, brand_id: str) -> None:
        """The campaigns of one brand, unless those asked for are found already."""
        wanted = self.options.campaign_ids
        if not wanted or self._not_found_yet or not self._owners.as_before():
            await self._list_campaigns(brand_id)

    async def _list_campaigns(self, brand_id: str) -> None:
        origin = Origin(f"{path_of('brands', brand_id)}/campaigns", brand_id)
        try:
            async for page in self._lists.pages(origin):
                found = [r for r in page.records if self.options.wants(id_of(r))]
                self._registry.add(CAMPAIGNS, page._replace(records=found))
                self._reader.listed(found)
                self._found_campaigns(brand_id, usable_ids(found))
        except ReadError as error:
            self._failed(origin, str(error))

    def _found_campaigns(self, brand_id: str, campaign_ids: list[str]) -> None:
        for campaign_id in campaign_ids if self._not_found_yet else ():
            self._not_found_yet.pop(campaign_id.lower(), None)
        self.stats.add(campaigns=len(self._unseen(campaign_ids)))
        for campaign_id in self._owners.listed(brand_id, campaign_ids):
            self._walks.add(partial(self._reader.read, brand_id, campaign_id))

    def _look_up(self, origin: Origin, order_ids: list[str]) -> None:
        """Has orders read one by one that the destination has and a whole list lacks."""
        self.cursors.look_up(str(origin.campaign_id))
        self._walks.add(partial(self._reader.orders_by_id, origin, order_ids))

    def _list_again_where_campaigns_are_missing(self) -> None:
        """Has brands listed again whose lists lack a campaign: it may have slid past a page.

        In a shard a campaign that is in no list may also have moved to a brand of another shard, so
        it must not be read as this brand's.
        """
        for brand_id in sorted({*self._unlisted().values()} & self._seen):
            self._walks.add(partial(self._list_campaigns, brand_id))

    def _unlisted(self) -> dict[str, str]:
        """Campaigns that the destination has and no list, with their last known brand.

        Those that are not marked as deleted, and when due those that have orders which are not.
        """
        if not self._lists_are_whole():
            return {}
        found = self._registry.unlisted(CAMPAIGNS, self._seen)
        if ORDERS.name in self.options.resources:
            cursors = self.cursors.after()
            for campaign_id in self._known.campaign_ids():
                cursor = cursors.get(campaign_id)
                if campaign_id not in self._seen and self._reader.is_due(cursor):
                    found.setdefault(campaign_id, cursor.brand_id if cursor else "")
        return found

    def _lists_are_whole(self) -> bool:
        """Whether all brands and campaigns were listed."""
        failures = self.record.failures
        return not self.options.narrowing and all(row["campaign_id"] for row in failures)

    async def _unlisted_brand(self, brand_id: str) -> None:
        origin = Origin(path_of("brands", brand_id), brand_id)
        try:
            if not await self._lists.exists(origin.path, brand_id):
                self._registry.gone(BRANDS, brand_id)
        except ReadError as error:
            self._failed(origin, str(error))

    def _failed(self, origin: Origin, reason: str) -> None:
        self.record.failed(origin, reason)
        # whatever else of the campaign could be read, its cursor stays where it was
        self.cursors.hold(str(origin.campaign_id))

    def _unseen(self, ids: Sequence[str]) -> list[str]:
        """Those met for the first time: one that slid to a later page is not read twice."""
        new = [i for i in dict.fromkeys(ids) if i not in self._seen]
        self._seen.update(new)
        return new
