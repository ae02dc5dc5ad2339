"""One campaign's orders: read page by page, as far as has to be, and the stragglers by other ways.

How far that is, is decided in `walk.py`; what is new, in `cursor.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from urllib.parse import quote

import pyarrow as pa

from sources.signalwire.crawl.events import OrdersGone, Rows, RowsToCompare, Walk
from sources.signalwire.errors import NotFound
from sources.signalwire.http.pagination import Get, Listing, Page
from sources.signalwire.http.responses import Answer, Records, record_of
from sources.signalwire.incremental.cursor import Cursor, Reading, Versions, is_outdated
from sources.signalwire.incremental.depth import (
    KnownCampaign,
    in_order,
    may_stop,
    pages_to_read,
    states_to_list,
)
from sources.signalwire.records.buffers import rejected
from sources.signalwire.records.convert import Origin, Reject, convert
from sources.signalwire.records.schema import ORDERS, TIMESTAMP
from sources.signalwire.settings import REGISTRY
from sources.signalwire.stats import RunStats


class OrderWalk:
    """One walk through one campaign's orders."""

    def __init__(
        self,
        stats: RunStats,
        origin: Origin,
        cursor: Cursor | None,
        known: KnownCampaign | None,
        page_size: int,
        placed: Callable[[], KnownCampaign] | None = None,
    ) -> None:
        """`placed` gives `known` with every order's position, for a server that cuts pages short.

        `known` itself has them only where a campaign fills more than one page of `page_size`.
        """
        self._stats = stats
        self._origin = origin
        self._known = known
        self._page_size = page_size
        self._placed = placed
        self._reading = Reading(cursor, str(origin.brand_id))
        self._unmet = {order.order_id: order for order in known.unsettled} if known else {}
        self._slid: set[str] = set()
        # of orders that this walk may meet in several lists, the version loaded last
        self._loaded: dict[str, str] | None = None
        # a row can slide to the next page or the one after while orders arrive, hardly further
        self._met_lately: list[dict[str, int | None]] = [{}, {}]

    @property
    def cursor(self) -> Cursor | None:
        """The cursor from earlier walks, if it can be used for this one."""
        return self._reading.cursor

    def in_part(self) -> Walk[None]:
        """Reads what may have changed: the newest pages, and unsettled orders further down."""
        watermark = self.cursor.created_watermark if self.cursor else None
        self._loaded = {}
        ordered, oldest, served, planned = True, None, 0, 1
        listing = self._listing()
        while request := listing.next():
            page = yield from self._turn(listing, request)
            if page.number == 1:
                ordered, oldest = True, None
            if len(page.records) > served and listing.goes_on:
                served = len(page.records)
                planned = pages_to_read(self._known_on_pages_of(served).unsettled, served)
            versions = yield from self._load_new(page.records, page.read_at)
            created = self._without_slid(versions)
            all_dated = len(versions) == len(page.records)
            ordered = ordered and all_dated and in_order(created, oldest)
            oldest = created[-1] if created else oldest
            if ordered and may_stop(page.number, planned, oldest, watermark):
                break
        yield from self._stragglers(listing, page.number, max(served, 1))

    def to_the_end(self) -> Walk[None]:
        """Reads all there is.

        Where the destination has orders of this campaign, all rows are to be compared with them;
        where it is known to have none, all are new; where nothing is known, the cursor decides.
        """
        listing = self._listing()
        while request := listing.next():
            page = yield from self._turn(listing, request)
            if self._known is None:
                yield from self._load_new(page.records, page.read_at)
                continue
            versions, rejects = self._convert(page.records, page.read_at)
            self._reading.note(versions)
            yield from rejected(ORDERS, rejects, self._stats)
            if not versions:
                continue
            if self._known.orders:
                yield RowsToCompare(self._origin, versions.rows)
            else:
                yield Rows(ORDERS.name, versions.rows)

    def in_state(self, state: str, pages: int | None = None) -> Walk[None]:
        """Reads the orders in one state only: so many pages of their list, by default all."""
        listing = self._listing(state)
        while request := listing.next():
            page = yield from self._turn(listing, request)
            yield from self._load_new(_only_in(state, page.records), page.read_at)
            if page.number == pages:
                break

    def one(self, order_id: str) -> Walk[None]:
        """Reads one order by its id; it may turn out to be gone."""
        try:
            answer = yield Get(f"{REGISTRY}/orders/{quote(order_id, safe='')}")
            record = record_of(answer, order_id)
        except NotFound:
            yield OrdersGone([order_id])
        else:
            self._stats.add(orders_seen=1)
            yield from self._load_new([record], answer.read_at)

    def end(self, *, full: bool) -> Cursor | None:
        """The cursor after the walk."""
        return self._reading.end(full=full)

    def _known_on_pages_of(self, served: int) -> KnownCampaign:
        """What is known, with positions that hold for pages of so many orders."""
        if self._unmet and served < self._page_size and self._placed is not None:
            self._known = self._placed()
            found = {order.order_id: order for order in self._known.unsettled}
            self._unmet = {name: found[name] for name in self._unmet if name in found}
        return self._known or KnownCampaign()

    def _stragglers(self, listing: Listing, number: int, served: int) -> Walk[None]:
        """Brings unsettled orders up to date that were not on the pages read.

        `listing` has been read for `number` pages of `served` orders, and can be read on.
        """
        for state, pages in states_to_list(self._unmet.values(), served).items():
            yield from self.in_state(state, pages)
        # those that have left their state: where they are many, the list has them in fewer requests
        moved = [order._replace(state=None) for order in self._unmet.values()]
        for _ in range(pages_to_read(moved, served, read=number) - number):
            if not (request := listing.next()):
                break
            page = yield from self._turn(listing, request)
            yield from self._load_new(page.records, page.read_at)
        for order_id in list(self._unmet):
            yield from self.one(order_id)

    def _listing(self, state: str | None = None) -> Listing:
        params = {"page_size": str(self._page_size)} | ({"filter_state": state} if state else {})
        return Listing(Get(self._origin.path, params, self._origin), self._stats)

    def _turn(self, listing: Listing, request: Get) -> Generator[Get, Answer, Page]:
        page = yield from listing.turn(request)
        self._reading.begin(page.served_at)
        self._stats.add(orders_seen=len(page.records))
        return page

    def _without_slid(self, versions: Versions) -> Sequence[int | None]:
        """When the orders were created, but for those met on a page before."""
        if not self._slid:
            return versions.created_at
        created = zip(versions.ids, versions.created_at, strict=True)
        return [moment for order_id, moment in created if order_id not in self._slid]

    def _load_new(self, records: Records, read_at: int) -> Walk[Versions]:
        """Yields the rows that are new, and returns all versions read."""
        versions, rejects = self._convert(records, read_at)
        new = self._not_loaded_yet(versions, self._reading.new_ones(versions))
        yield from rejected(ORDERS, rejects, self._stats)
        if new:
            rows = versions.rows
            yield Rows(ORDERS.name, rows if len(new) == len(rows) else rows.take(new))
        return versions

    def _not_loaded_yet(self, versions: Versions, new: list[int]) -> list[int]:
        """Those of some positions that this walk has not loaded just so from another list."""
        if self._loaded is None or not new:
            return new
        last = self._loaded
        marks = dict(zip(new, versions.marks(new), strict=True))
        new = [n for n, mark in marks.items() if last.get(versions.ids[n]) != mark]
        last.update((versions.ids[n], mark) for n, mark in marks.items())
        return new

    def _convert(self, records: Records, read_at: int) -> tuple[Versions, list[Reject]]:
        if isinstance(records, Versions):
            versions, rejects = records, list[Reject]()
        else:
            own = {"read_at": pa.scalar(read_at, pa.int64()).cast(TIMESTAMP)}
            rows, rejects = convert(ORDERS, records, [self._origin] * len(records), own=own)
            ids, updated, created = (
                rows["id"].to_pylist(),
                *(_moments(rows, name) for name in ("updated_at", "created_at")),
            )
            versions = Versions(ids, updated, created, rows)
        for order_id in self._unmet.keys() & versions.ids:
            del self._unmet[order_id]
        keep = self._up_to_date(versions.ids, versions.updated_at, read_at)
        return versions if len(keep) == len(versions) else versions.take(keep), rejects

    def _up_to_date(
        self, ids: Sequence[str], updated: Sequence[int | None], now: int
    ) -> Sequence[int]:
        """Positions of all orders that this walk has not met in a newer version.

        That would have been on this page or just before; of two alike the later one is kept.
        """
        met = dict(zip(ids, updated, strict=True))
        before, self._met_lately = self._met_lately, [self._met_lately[1], met]
        self._slid = {order_id for m in before for order_id in m.keys() & met.keys()}
        if len(met) == len(ids) and not self._slid:
            return range(len(ids))
        met.clear()
        last: dict[str, int] = {}
        for position, (order_id, moment) in enumerate(zip(ids, updated, strict=True)):
            earlier = [m[order_id] for m in (*before, met) if order_id in m]
            if not any(is_outdated(moment, by, now) for by in earlier):
                met[order_id], last[order_id] = moment, position
        self._slid &= met.keys()
        return sorted(last.values())


def _moments(rows: pa.Table, column: str) -> list[int | None]:
    """Times in microseconds since the epoch (UTC)."""
    moments: list[int | None] = []
    for chunk in rows[column].chunks:
        moments += chunk.view(pa.int64()).to_pylist()
    return moments


def _only_in(state: str, records: Records) -> Records:
    """Checks the server's filter; what is no record at all is passed on, to be rejected."""
    if isinstance(records, Versions):
        states = records.rows["state"].to_pylist()
        return records.take([n for n, found in enumerate(states) if _is(state, found)])
    return [r for r in records if not isinstance(r, dict) or _is(state, r.get("state"))]


def _is(state: str, found: object) -> bool:
    return found == state or str(found).lower() == state.lower()
