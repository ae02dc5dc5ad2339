"""Pages one campaign's orders until nothing older can have changed, then fetches what is open.

How far that is, is decided in `incremental/depth.py`; what is new, in `incremental/cursor.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.crawl.known_campaigns import KnownCampaigns
from sources.signalwire.crawl.lists import Lists, path_of
from sources.signalwire.crawl.output import Output
from sources.signalwire.errors import NotFound
from sources.signalwire.http.pagination import Listing
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.cursor import Cursor, CursorMove, is_outdated
from sources.signalwire.incremental.depth import (
    in_order,
    may_stop,
    pages_to_read,
    states_to_list,
)
from sources.signalwire.incremental.diff import marked_as_deleted
from sources.signalwire.incremental.existing import KnownCampaign, KnownData
from sources.signalwire.records.batch import OrderBatch, Origin, PageRecords
from sources.signalwire.records.schema import ORDERS
from sources.signalwire.stats import RunStats


class Tools(NamedTuple):
    """What every walk through a campaign's orders needs; `convert` makes rows of a page."""

    lists: Lists
    convert: Callable[[PageRecords], Awaitable[OrderBatch]]
    existing: KnownData
    known: KnownCampaigns
    output: Output
    clock: ServerClock
    stats: RunStats


class OrderWalk:
    """One walk through one campaign's orders."""

    def __init__(
        self, tools: Tools, origin: Origin, cursor: Cursor | None, known: KnownCampaign | None
    ) -> None:
        """`known` has positions only where a campaign fills more than one page of `page_size`."""
        self._tools = tools
        self._origin = origin
        self._known = known or KnownCampaign()
        self.move = CursorMove(cursor, str(origin.brand_id))
        # whether any order was loaded of those that the destination is not compared with
        self.found_changes = False
        self._unmet = {order.order_id: order for order in self._known.unsettled}
        self._slid: set[str] = set()
        # of orders that this walk may meet in several lists, the version loaded last
        self._loaded: dict[str, str] | None = None
        # the versions on the two last pages by when they changed: a row can slide to the next page
        # or the one after while orders arrive, hardly further
        self._met_lately: list[dict[str, int | None]] = [{}, {}]

    async def whole(self, take: Callable[[pa.Table], None] | None = None) -> None:
        """Reads all orders for `take`; without it those are loaded that the cursor says are new."""
        async for page in self._tools.lists.pages(self._origin):
            batch, new = await self._read(page)
            if take is None:
                self._load(batch, new)
            elif len(batch):
                take(batch.rows)

    async def in_state(self, state: str, pages: int | None = None) -> None:
        """Reads the orders in one state only: so many pages of their list, by default all."""
        async for page in self._tools.lists.pages(self._origin, state):
            # the server's filter is checked; what is no record at all is passed on, to be rejected
            records = [
                r for r in page.records if not isinstance(r, dict) or _is(state, r.get("state"))
            ]
            self._load(*await self._read(page._replace(records=records), seen=len(page.records)))
            if page.number == pages:
                break

    async def one(self, order_id: str) -> None:
        """Reads one order by its id; one that turns out to be gone is marked as deleted."""
        try:
            found = await self._tools.lists.record(Origin(path_of("orders", order_id)), order_id)
        except NotFound:
            rows = self._tools.existing.by_id(ORDERS, [order_id])
            gone = marked_as_deleted(rows, self._tools.clock.now())
            self._tools.stats.add(orders_deleted=len(gone))
            self._tools.output.rows(ORDERS, gone)
        else:
            self._load(*await self._read(found._replace(origin=self._origin)))

    async def recent(self) -> None:
        """Reads what may have changed: the newest pages, and unsettled orders further down."""
        cursor = self.move.cursor
        watermark = cursor.created_watermark if cursor else None
        self._loaded = {}
        ordered, oldest, served, planned, number = True, None, 0, 1, 0
        listing = self._tools.lists.pages(self._origin)
        async for page in listing:
            number = page.number
            if number == 1:
                ordered, oldest = True, None
            if len(page.records) > served and listing.goes_on:
                served = len(page.records)
                planned = pages_to_read(self._known_on_pages_of(served).unsettled, served)
            batch, new = await self._read(page)
            self._load(batch, new)
            created = self._without_slid(batch)
            all_dated = len(batch) == len(page.records)
            ordered = ordered and all_dated and in_order(created, oldest)
            oldest = created[-1] if created else oldest
            if ordered and may_stop(number, planned, oldest, watermark):
                break
        await self._stragglers(listing, number, max(served, 1))

    def _known_on_pages_of(self, served: int) -> KnownCampaign:
        """What is known, with positions that hold for pages of so many orders."""
        if self._unmet and served < self._tools.lists.page_size:
            self._known = self._tools.known.placed(str(self._origin.campaign_id))
            found = {order.order_id: order for order in self._known.unsettled}
            self._unmet = {name: found[name] for name in self._unmet if name in found}
        return self._known

    async def _stragglers(self, listing: Listing, number: int, served: int) -> None:
        """Brings unsettled orders up to date that were not on the pages read.

        `listing` has been read for `number` pages of `served` orders, and can be read on.
        """
        for state, pages in states_to_list(self._unmet.values(), served).items():
            await self.in_state(state, pages)
        # those that have left their state: where they are many, the list has them in fewer requests
        moved = [order._replace(state=None) for order in self._unmet.values()]
        further = pages_to_read(moved, served, read=number) - number
        for _ in range(further):
            page = await anext(listing, None)
            if page is None:
                break
            self._load(*await self._read(page))
        for order_id in list(self._unmet):
            await self.one(order_id)

    async def _read(
        self, page: PageRecords, seen: int | None = None
    ) -> tuple[OrderBatch, list[int]]:
        """The orders of a page that this walk has not met in a newer version.

        Also returns the positions of those that are not loaded yet, by the cursor.
        """
        self._tools.stats.add(orders_seen=len(page.records) if seen is None else seen)
        batch = await self._tools.convert(page)
        for order_id in self._unmet.keys() & batch.ids:
            del self._unmet[order_id]
        keep = self._up_to_date(batch, page.read_at)
        batch = batch if len(keep) == len(batch) else batch.take(keep)
        return batch, self.move.read(batch, page.served_at)

    def _load(self, batch: OrderBatch, new: list[int]) -> None:
        """Loads the orders at some positions, but for those that another list had just so."""
        if self._loaded is not None and new:
            last, marks = self._loaded, dict(zip(new, batch.marks(new), strict=True))
            new = [n for n, mark in marks.items() if last.get(batch.ids[n]) != mark]
            last.update((batch.ids[n], mark) for n, mark in marks.items())
        if new:
            rows = batch.rows
            self.found_changes = True
            self._tools.output.rows(ORDERS, rows if len(new) == len(rows) else rows.take(new))

    def _without_slid(self, batch: OrderBatch) -> Sequence[int | None]:
        """When the orders were created, but for those met on a page before."""
        if not self._slid:
            return batch.created_at
        created = zip(batch.ids, batch.created_at, strict=True)
        return [moment for order_id, moment in created if order_id not in self._slid]

    def _up_to_date(self, batch: OrderBatch, now: int) -> Sequence[int]:
        """Positions of all orders that this walk has not met in a newer version.

        That would have been on this page or just before; of two alike the later one is kept.
        """
        met = dict(zip(batch.ids, batch.updated_at, strict=True))
        before, self._met_lately = self._met_lately, [self._met_lately[1], met]
        self._slid = set().union(*(earlier.keys() & met.keys() for earlier in before))
        if len(met) == len(batch) and not self._slid:
            return range(len(batch))
        kept: dict[str, int] = {}
        for position, order_id in enumerate(batch.ids):
            earlier_ones = [earlier[order_id] for earlier in before if order_id in earlier]
            if order_id in kept:
                earlier_ones.append(batch.updated_at[kept[order_id]])
            moment = batch.updated_at[position]
            if not any(is_outdated(moment, by, now) for by in earlier_ones):
                kept[order_id] = position
        self._met_lately[1] = {order_id: batch.updated_at[n] for order_id, n in kept.items()}
        self._slid &= kept.keys()
        return sorted(kept.values())


def _is(state: str, found: Any) -> bool:
    return found == state or str(found).lower() == state.lower()
