"""What is read of each list, and what was found there. Runs in the worker threads."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple
from urllib.parse import quote

import pyarrow as pa

from sources.signalwire.client import Client
from sources.signalwire.cursor import Cursor, Reading, Version
from sources.signalwire.errors import ReadError
from sources.signalwire.records import (
    Origin,
    Reject,
    convert,
    rows_of_rejects,
    sensitive_fields,
)
from sources.signalwire.selection import Selection
from sources.signalwire.settings import REGISTRY
from sources.signalwire.stats import RunStats
from sources.signalwire.tables import (
    BRANDS,
    CAMPAIGNS,
    NUMBER_ASSIGNMENTS,
    ORDERS,
    REJECTED,
    Table,
)


class Rows(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


class Failure(NamedTuple):
    """A list or record that could not be read; `campaign_id` is None when it is a brand's."""

    origin: Origin
    reason: str
    failed_at: datetime


class BrandsFound(NamedTuple):
    """Brands whose campaigns are to be listed next."""

    brand_ids: list[str]


class CampaignsFound(NamedTuple):
    """Campaigns of one brand that are to be read next."""

    brand_id: str
    campaign_ids: list[str]


class CampaignWalked(NamedTuple):
    """A campaign whose orders were read to the end, and its cursor from now on."""

    campaign_id: str
    cursor: Cursor | None


Finding = Rows | Failure | BrandsFound | CampaignsFound | CampaignWalked


class Reader:
    """Reads one list at a time and yields what it found; safe to use from several threads."""

    def __init__(
        self,
        client: Client,
        selection: Selection,
        cursors: Mapping[str, Cursor],
        stats: RunStats,
    ) -> None:
        self._client = client
        self._selection = selection
        self._cursors = cursors
        self._stats = stats

    def brands(self) -> Iterator[Finding]:
        """All brands of the space. ReadError if they cannot be listed: nothing else could be."""
        origin = Origin(f"{REGISTRY}/brands")
        for page in self._client.pages(origin.path, self._page_params()):
            yield from self._brands_of(page.records, origin)

    def brand(self, brand_id: str) -> Iterator[Finding]:
        """One brand, by its id."""
        origin = Origin(f"{REGISTRY}/brands/{quote(brand_id, safe='')}", brand_id)
        try:
            answer = self._client.get(origin.path)
        except ReadError as error:
            yield self._failed(origin, str(error))
            return
        yield from self._brands_of([answer.payload], origin)

    def campaigns(self, brand_id: str) -> Iterator[Finding]:
        """The campaigns of one brand."""
        origin = Origin(f"{REGISTRY}/brands/{quote(brand_id, safe='')}/campaigns", brand_id)
        wanted = self._selection.campaign_ids
        try:
            for page in self._client.pages(origin.path, self._page_params()):
                found = [r for r in page.records if not wanted or _id_of(r) in wanted]
                ids = yield from self._rows_of(CAMPAIGNS, found, origin)
                yield CampaignsFound(brand_id, ids)
        except ReadError as error:
            yield self._failed(origin, str(error))

    def campaign(self, brand_id: str, campaign_id: str) -> Iterator[Finding]:
        """One campaign's orders and number assignments, as far as they are asked for."""
        base = f"{REGISTRY}/campaigns/{quote(campaign_id, safe='')}"
        orders = Origin(f"{base}/orders", brand_id, campaign_id)
        numbers = Origin(f"{base}/numbers", brand_id, campaign_id)
        origin = orders
        try:
            if ORDERS.name in self._selection.resources:
                yield from self._orders(orders)
            origin = numbers
            if NUMBER_ASSIGNMENTS.name in self._selection.resources:
                for page in self._client.pages(numbers.path, self._page_params()):
                    yield from self._rows_of(NUMBER_ASSIGNMENTS, page.records, numbers)
        except ReadError as error:
            yield self._failed(origin, str(error))
        else:
            self._stats.add(campaigns_walked=1)

    def no_such_campaign(self, campaign_id: str) -> Failure:
        """The failure of a campaign that was asked for and is in no list."""
        origin = Origin(f"{REGISTRY}/campaigns/{campaign_id}", None, campaign_id)
        return self._failed(origin, f"campaign {campaign_id} is not among the campaigns listed")

    def _brands_of(self, records: list[Any], origin: Origin) -> Iterator[Finding]:
        ids = yield from self._rows_of(BRANDS, records, origin)
        yield BrandsFound(ids)

    def _orders(self, origin: Origin) -> Iterator[Finding]:
        campaign_id = str(origin.campaign_id)
        state = self._selection.order_state
        params = self._page_params() | ({"filter_state": state} if state else {})
        reading = Reading(self._cursors.get(campaign_id), str(origin.brand_id))
        for page in self._client.pages(origin.path, params):
            reading.begin(page.served_at)
            self._stats.add(orders_seen=len(page.records))
            records = [r for r in page.records if state is None or _may_be_in(state, r)]
            yield from self._new_orders(records, origin, reading)
        if state is None:
            yield CampaignWalked(campaign_id, reading.end())

    def _new_orders(
        self, records: list[Any], origin: Origin, reading: Reading
    ) -> Iterator[Finding]:
        converted = convert(ORDERS, records, origin)
        changed_at = converted.rows["updated_at"].cast(pa.int64()).to_pylist()
        versions = [Version(*pair) for pair in zip(changed_at, converted.records, strict=True)]
        new = list(reading.new_ones(versions))
        if converted.rejects:
            yield self._rejected(ORDERS, converted.rejects)
        if new:
            self._stats.add(orders_loaded=len(new))
            rows = converted.rows
            yield Rows(ORDERS.name, rows if len(new) == len(rows) else rows.take(new))

    def _rows_of(
        self, table: Table, records: list[Any], origin: Origin
    ) -> Generator[Finding, None, list[str]]:
        """Yields the rows, if the table is asked for, and returns the ids."""
        sensitive = self._selection.include_sensitive
        converted = convert(table, records, origin, include_sensitive=sensitive)
        if table.name in self._selection.resources:
            if converted.rejects:
                yield self._rejected(table, converted.rejects)
            if converted.records:
                yield Rows(table.name, converted.rows)
        return [record["id"] for record in converted.records]

    def _rejected(self, table: Table, rejects: list[Reject]) -> Rows:
        self._stats.add(rejected=len(rejects))
        hidden = frozenset() if self._selection.include_sensitive else sensitive_fields(table)
        return Rows(REJECTED.name, rows_of_rejects(rejects, self._stats.run_id, hidden))

    def _failed(self, origin: Origin, reason: str) -> Failure:
        self._stats.add(**{"campaigns_failed" if origin.campaign_id else "brands_failed": 1})
        return Failure(origin, reason, datetime.now(timezone.utc))

    def _page_params(self) -> dict[str, str]:
        return {"page_size": str(self._selection.page_size)}


def _id_of(record: Any) -> Any:
    return record.get("id") if isinstance(record, dict) else None


def _may_be_in(state: str, record: Any) -> bool:
    """Checks the server's filter; what is no record at all is passed on, to be rejected."""
    return not isinstance(record, dict) or record.get("state") == state
