"""One campaign's orders: read page by page, as far as has to be, and the stragglers by other ways.

How far that is, is decided in `walk.py`; what is new, in `cursor.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.answers import Records
from sources.signalwire.client import Client, Page
from sources.signalwire.columnar import decode_orders, with_own_columns
from sources.signalwire.cursor import Cursor, Reading, Versions, is_outdated
from sources.signalwire.errors import NotFound
from sources.signalwire.records import Origin, Reject, convert
from sources.signalwire.settings import REGISTRY
from sources.signalwire.stats import RunStats
from sources.signalwire.tables import ORDERS, TIMESTAMP
from sources.signalwire.walk import (
    KnownCampaign,
    in_order,
    may_stop,
    pages_to_read,
    states_to_list,
)


class NewOrders(NamedTuple):
    """Rows of orders that are new or changed."""

    rows: pa.Table


class ReadOrders(NamedTuple):
    """Rows of a campaign read to its end, to be compared with the destination."""

    rows: pa.Table


class GoneOrders(NamedTuple):
    """Ids of orders whose own URL answers 404."""

    order_ids: list[str]


Step = NewOrders | ReadOrders | GoneOrders | list[Reject]


class OrderWalk:
    """One walk through one campaign's orders."""

    def __init__(
        self,
        client: Client,
        stats: RunStats,
        origin: Origin,
        cursor: Cursor | None,
        known: KnownCampaign | None,
        page_size: int,
    ) -> None:
        self._client = client
        self._stats = stats
        self._origin = origin
        self._known = known
        self._page_size = page_size
        self._reading = Reading(cursor, str(origin.brand_id))
        self._unmet = {order.order_id: order for order in known.unsettled} if known else {}
        self._slid: set[str] = set()
        # a row can slide to the next page or the one after while orders arrive, hardly further
        self._met_lately: list[dict[str, int | None]] = [{}, {}]

    @property
    def cursor(self) -> Cursor | None:
        """The cursor from earlier walks, if it can be used for this one."""
        return self._reading.cursor

    def in_part(self) -> Iterator[Step]:
        """Reads what may have changed: the newest pages, and unsettled orders further down."""
        planned = pages_to_read(self._known or KnownCampaign(), self._page_size)
        watermark = self.cursor.created_watermark if self.cursor else None
        ordered, oldest = True, None
        for number, page in enumerate(self._pages(), start=1):
            versions = yield from self._load_new(page.records)
            created = self._without_slid(versions)
            all_dated = len(versions.ids) == len(page.records)
            ordered = ordered and all_dated and in_order(created, oldest)
            oldest = created[-1] if created else oldest
            if ordered and may_stop(number, planned, oldest, watermark):
                break
        yield from self._stragglers()

    def to_the_end(self) -> Iterator[Step]:
        """Reads all there is.

        Where the destination has orders of this campaign, all rows are to be compared with them;
        where it is known to have none, all are new; where nothing is known, the cursor decides.
        """
        for page in self._pages():
            if self._known is None:
                yield from self._load_new(page.records)
                continue
            versions, rejects = self._convert(page.records)
            self._reading.note(versions)
            if rejects:
                yield rejects
            if versions.ids:
                kind = ReadOrders if self._known.orders else NewOrders
                yield kind(versions.rows)

    def in_state(self, state: str) -> Iterator[Step]:
        """Reads the orders in one state only, to the end of their list."""
        for page in self._pages(state):
            yield from self._load_new(_only_in(state, page.records))

    def one(self, order_id: str) -> Iterator[Step]:
        """Reads one order by its id; it may turn out to be gone."""
        try:
            path = f"{REGISTRY}/orders/{quote(order_id, safe='')}"
            answer = self._client.record(path, order_id)
        except NotFound:
            yield GoneOrders([order_id])
        else:
            self._stats.add(orders_seen=1)
            yield from self._load_new([answer.payload])

    def end(self, *, full: bool) -> Cursor | None:
        """The cursor after the walk."""
        return self._reading.end(full=full)

    def _stragglers(self) -> Iterator[Step]:
        """Brings unsettled orders up to date that were not on the pages read."""
        for state, pages in states_to_list(self._unmet.values(), self._page_size).items():
            for number, page in enumerate(self._pages(state), start=1):
                yield from self._load_new(_only_in(state, page.records))
                if number >= pages:
                    break
        for order_id in list(self._unmet):
            yield from self.one(order_id)

    def _pages(self, state: str | None = None) -> Iterator[Page]:
        params = {"page_size": str(self._page_size)} | ({"filter_state": state} if state else {})
        decode = partial(decode_orders, origin=self._origin)
        for page in self._client.pages(self._origin.path, params, decode):
            self._reading.begin(page.served_at)
            self._stats.add(orders_seen=len(page.records))
            yield page

    def _without_slid(self, versions: Versions) -> Sequence[int | None]:
        """When the orders were created, but for those met on a page before."""
        if not self._slid:
            return versions.created_at
        created = zip(versions.ids, versions.created_at, strict=True)
        return [moment for order_id, moment in created if order_id not in self._slid]

    def _load_new(self, records: Records) -> Generator[Step, None, Versions]:
        """Yields the rows that are new, and returns all versions read."""
        versions, rejects = self._convert(records)
        new = self._reading.new_ones(versions)
        if rejects:
            yield rejects
        if new:
            rows = versions.rows
            yield NewOrders(rows if len(new) == len(rows) else rows.take(new))
        return versions

    def _convert(self, records: Records) -> tuple[Versions, list[Reject]]:
        now = self._client.clock.now()
        own = {"read_at": pa.scalar(now, pa.int64()).cast(TIMESTAMP)}
        if isinstance(records, pa.Table):
            rows, rejects = with_own_columns(records, own), list[Reject]()
        else:
            rows, rejects = convert(ORDERS, records, self._origin, own=own)
        ids = rows["id"].to_pylist()
        for order_id in self._unmet.keys() & ids:
            del self._unmet[order_id]
        updated = _moments(rows, "updated_at")
        keep = self._up_to_date(ids, updated, now)
        if len(keep) < len(ids):
            rows = rows.take(pa.array(keep, pa.int64()))
            ids, updated = ([column[n] for n in keep] for column in (ids, updated))
        return Versions(ids, updated, _moments(rows, "created_at"), rows), rejects

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
    if isinstance(records, pa.Table):
        return records.filter(pc.equal(records["state"], state))
    return [r for r in records if not isinstance(r, dict) or r.get("state") == state]
