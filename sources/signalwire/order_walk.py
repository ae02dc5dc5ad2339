"""One campaign's orders: read page by page, as far as has to be, and the stragglers by other ways.

How far that is, is decided in `walk.py`; what is new, in `cursor.py`.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa

from sources.signalwire.client import Client, Page
from sources.signalwire.cursor import Cursor, Reading, Version, is_outdated
from sources.signalwire.errors import NotFound
from sources.signalwire.records import Converted, Origin, Reject, convert
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
            created = [v.created_at for v in versions if v.record["id"] not in self._slid]
            all_dated = len(versions) == len(page.records)
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
            converted, versions = self._convert(page.records)
            self._reading.note(versions)
            if converted.rejects:
                yield converted.rejects
            if converted.records:
                kind = ReadOrders if self._known.orders else NewOrders
                yield kind(converted.rows)

    def in_state(self, state: str) -> Iterator[Step]:
        """Reads the orders in one state only, to the end of their list."""
        for page in self._pages(state):
            yield from self._load_new([r for r in page.records if _may_be_in(state, r)])

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
                yield from self._load_new([r for r in page.records if _may_be_in(state, r)])
                if number >= pages:
                    break
        for order_id in list(self._unmet):
            yield from self.one(order_id)

    def _pages(self, state: str | None = None) -> Iterator[Page]:
        params = {"page_size": str(self._page_size)} | ({"filter_state": state} if state else {})
        for page in self._client.pages(self._origin.path, params):
            self._reading.begin(page.served_at)
            self._stats.add(orders_seen=len(page.records))
            yield page

    def _load_new(self, records: list[Any]) -> Generator[Step, None, list[Version]]:
        """Yields the rows that are new, and returns all versions read."""
        converted, versions = self._convert(records)
        new = list(self._reading.new_ones(versions))
        if converted.rejects:
            yield converted.rejects
        if new:
            rows = converted.rows
            yield NewOrders(rows if len(new) == len(rows) else rows.take(new))
        return versions

    def _convert(self, records: list[Any]) -> tuple[Converted, list[Version]]:
        now = self._client.clock.now()
        own = {"read_at": pa.scalar(now, pa.int64()).cast(TIMESTAMP)}
        converted = convert(ORDERS, records, self._origin, own=own)
        kept = self._drop_outdated(converted, now)
        times = (
            kept.rows[name].cast(pa.int64()).to_pylist() for name in ("updated_at", "created_at")
        )
        versions = [Version(*parts) for parts in zip(*times, kept.records, strict=True)]
        for version in versions:
            self._unmet.pop(version.record["id"], None)
        return kept, versions

    def _drop_outdated(self, converted: Converted, now: int) -> Converted:
        """Leaves out what this walk has met in a newer version, on this page or just before."""
        updated = converted.rows["updated_at"].cast(pa.int64()).to_pylist()
        met: dict[str, int | None] = {}
        last: dict[str, int] = {}
        for position, (record, moment) in enumerate(zip(converted.records, updated, strict=True)):
            order_id = record["id"]
            earlier = [m[order_id] for m in (*self._met_lately, met) if order_id in m]
            if not any(is_outdated(moment, by, now) for by in earlier):
                met[order_id], last[order_id] = moment, position
        self._slid = {order_id for m in self._met_lately for order_id in m if order_id in met}
        self._met_lately = [self._met_lately[1], met]
        if len(last) == len(converted.records):
            return converted
        keep = sorted(last.values())
        records = [converted.records[position] for position in keep]
        return Converted(
            converted.rows.take(pa.array(keep, pa.int64())), records, converted.rejects
        )


def _may_be_in(state: str, record: Any) -> bool:
    """Checks the server's filter; what is no record at all is passed on, to be rejected."""
    return not isinstance(record, dict) or record.get("state") == state
