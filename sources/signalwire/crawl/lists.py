"""What is read of each list, and what is found there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any
from urllib.parse import quote

from sources.signalwire.crawl.events import (
    BrandsFound,
    CampaignGone,
    CampaignsFound,
    CampaignWalked,
    Failure,
    Listed,
    Walk,
)
from sources.signalwire.crawl.orders import OrderWalk
from sources.signalwire.errors import NotFound, ProtocolError, ReadError
from sources.signalwire.http.pagination import Get, Listing
from sources.signalwire.http.responses import record_of
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.depth import KnownCampaign, is_ahead, is_full_walk_due
from sources.signalwire.options import Selection
from sources.signalwire.records.convert import Origin, usable_ids
from sources.signalwire.records.schema import (
    BRANDS,
    CAMPAIGNS,
    NUMBER_ASSIGNMENTS,
    ORDERS,
)
from sources.signalwire.settings import REGISTRY
from sources.signalwire.stats import RunStats


class Reader:
    """Reads one list, or one record, at a time."""

    def __init__(
        self,
        clock: ServerClock,
        selection: Selection,
        cursors: Mapping[str, Cursor],
        stats: RunStats,
        placed: Callable[[str], KnownCampaign],
    ) -> None:
        """`placed` tells what is known of a campaign, with the position of each of its orders."""
        self._placed = placed
        self._clock = clock
        self._selection = selection
        self._cursors = cursors
        self._stats = stats

    def brands(self) -> Walk[None]:
        """All brands of the space. ReadError if they cannot be listed: nothing else could be."""
        origin = Origin(f"{REGISTRY}/brands")
        listing = self._listing(origin)
        while request := listing.next():
            page = yield from listing.turn(request)
            yield from self._brands_of(page.plain, origin)

    def brand(self, brand_id: str) -> Walk[None]:
        """One brand, by its id."""
        failure: ReadError | None = None
        # ids are case sensitive there, and people copy them from where they are in upper case
        for spelled in dict.fromkeys((brand_id, brand_id.lower())):
            origin = Origin(_path("brands", spelled), spelled)
            try:
                record = record_of((yield Get(origin.path)), spelled)
            except ReadError as error:
                failure = failure or error
                if not isinstance(error, NotFound | ProtocolError):
                    break
            else:
                yield from self._brands_of([record], origin)
                return
        yield self._failed(Origin(_path("brands", brand_id), brand_id), str(failure))

    def campaigns(self, brand_id: str) -> Walk[None]:
        """The campaigns of one brand."""
        origin = Origin(f"{_path('brands', brand_id)}/campaigns", brand_id)
        listing = self._listing(origin)
        try:
            while request := listing.next():
                page = yield from listing.turn(request)
                found = [r for r in page.plain if self._selection.wants(_id_of(r))]
                yield Listed(CAMPAIGNS.name, found, origin)
                yield CampaignsFound(brand_id, usable_ids(found))
        except ReadError as error:
            yield self._failed(origin, str(error))

    def campaign(self, brand_id: str, campaign_id: str, known: KnownCampaign | None) -> Walk[None]:
        """One campaign's orders and number assignments, as far as they are asked for."""
        base = _path("campaigns", campaign_id)
        reading = {
            ORDERS.name: (Origin(f"{base}/orders", brand_id, campaign_id), self._orders),
            NUMBER_ASSIGNMENTS.name: (
                Origin(f"{base}/numbers", brand_id, campaign_id),
                self._numbers,
            ),
        }
        for table, (origin, read) in reading.items():
            if table not in self._selection.resources:
                continue
            try:
                yield from read(origin, known)
            except ReadError as error:
                yield self._failed(origin, str(error))
                return
        self._stats.add(campaigns_walked=1)

    def unlisted_campaign(
        self, brand_id: str, campaign_id: str, known: KnownCampaign
    ) -> Walk[None]:
        """A campaign that the destination knows and no list has: gone, or just passed over."""
        origin = Origin(_path("campaigns", campaign_id), brand_id, campaign_id)
        try:
            record_of((yield Get(origin.path)), campaign_id)
        except NotFound:
            yield CampaignGone(origin)
        except ReadError as error:
            yield self._failed(origin, str(error))
        else:
            # in a shard it has most likely moved to a brand of another one, which reads it
            if self._selection.shard is None:
                yield from self.campaign(brand_id, campaign_id, known)

    def orders_by_id(self, origin: Origin, order_ids: list[str]) -> Walk[None]:
        """Orders that the destination has and a walk to the end has not met."""
        walk = self._walk(origin, None)
        try:
            for order_id in order_ids:
                yield from walk.one(order_id)
        except ReadError as error:
            yield self._failed(origin, str(error))

    def no_such_campaign(self, campaign_id: str) -> Failure:
        """The failure of a campaign that was asked for and is in no list."""
        origin = Origin(_path("campaigns", campaign_id), None, campaign_id)
        return self._failed(origin, f"campaign {campaign_id} is not among the campaigns listed")

    def _brands_of(self, records: list[Any], origin: Origin) -> Walk[None]:
        if shard := self._selection.shard:
            # a record without an id is everybody's, so that it is not overlooked
            records = [r for r in records if not isinstance(_id_of(r), str) or shard.holds(r["id"])]
        yield Listed(BRANDS.name, records, origin)
        yield BrandsFound(usable_ids(records))

    def _orders(self, origin: Origin, known: KnownCampaign | None) -> Walk[None]:
        walk = self._walk(origin, known)
        if self._selection.order_state is not None:
            yield from walk.in_state(self._selection.order_state)
            return
        # all that was known of it may be gone, and come back
        due = self.reads_to_the_end(walk.cursor)
        full = known is None or not known.orders or due
        compared = full and known is not None and known.orders > 0
        self._stats.add(full_walks=int(compared and walk.cursor is not None))
        yield from walk.to_the_end() if full else walk.in_part()
        yield CampaignWalked(origin, walk.end(full=due and known is not None), compared)

    def _walk(self, origin: Origin, known: KnownCampaign | None) -> OrderWalk:
        cursor = self._cursors.get(str(origin.campaign_id))
        if cursor and is_ahead(max(cursor.watermark, cursor.created_watermark), self._clock.now()):
            # a clock that was wrong has told it; nothing changed would count as new
            cursor = None
        page_size = self._selection.page_size
        placed = partial(self._placed, str(origin.campaign_id))
        return OrderWalk(self._stats, origin, cursor, known, page_size, placed)

    def reads_to_the_end(self, cursor: Cursor | None) -> bool:
        """Whether a campaign with this cursor is to be read to its end in this run."""
        every = int(self._selection.full_walk_every * 1_000_000)
        return (
            self._selection.full
            or cursor is None
            or is_full_walk_due(cursor.full_walk_at, self._clock.now(), every)
        )

    def _numbers(self, origin: Origin, _known: KnownCampaign | None) -> Walk[None]:
        listing = self._listing(origin)
        while request := listing.next():
            page = yield from listing.turn(request)
            yield Listed(NUMBER_ASSIGNMENTS.name, page.plain, origin)

    def _listing(self, origin: Origin) -> Listing:
        return Listing(Get(origin.path, {"page_size": str(self._selection.page_size)}), self._stats)

    def _failed(self, origin: Origin, reason: str) -> Failure:
        self._stats.add(**{"campaigns_failed" if origin.campaign_id else "brands_failed": 1})
        return Failure(origin, reason, datetime.now(timezone.utc))


def _path(kind: str, record_id: str) -> str:
    return f"{REGISTRY}/{kind}/{quote(record_id, safe='')}"


def _id_of(record: Any) -> Any:
    return record.get("id") if isinstance(record, dict) else None
