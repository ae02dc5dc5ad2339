"""The world of a simulated space: its registry, and the edits that tests and people make.

All methods may be called from any thread. An id that is not served raises NotFoundError, a record
that is invalid raises ValueError.
"""

from __future__ import annotations

from typing import Any

from sources.simulator.clock import Clock
from sources.simulator.lifecycle import PROCESSED
from sources.simulator.orders import Order, Scheduled, order_fields
from sources.simulator.population import Brand, Campaign, Number
from sources.simulator.records import brand_fields, campaign_fields, draw_id, number_fields
from sources.simulator.registry import Registry
from sources.simulator.rows import NotFoundError, Row, Shelf
from sources.simulator.timestamps import moment_of, stamp


class World(Registry):
    """A registry that can be edited while it is served; see Registry for its content."""

    def __init__(
        self,
        seed: int = 1,
        brands: int = 5,
        campaigns: int = 4,
        orders: int = 30,
        clock: Clock | None = None,
        *,
        numbers: int = 3,
        arrivals_per_day: float | None = None,
        campaigns_per_month: float = 0,
        slower_campaigns: int = 0,
    ) -> None:
        super().__init__(
            seed, brands, campaigns, orders, clock, numbers=numbers,
            arrivals_per_day=arrivals_per_day, campaigns_per_month=campaigns_per_month,
            slower_campaigns=slower_campaigns,
        )  # fmt: skip
        self._rng = self._population.rng("edits")

    # Additions. Added records never change by themselves.

    def add_brand(self, /, **fields: Any) -> str:
        """A brand created now, without campaigns; `fields` override generated values."""
        with self.lock:
            now = self.clock.seconds()
            made_up = brand_fields(self._rng, self._rng.randrange(10_000), now)
            record = {**made_up, "updated_at": made_up["created_at"], **fields}
            brand = self._population.brand(_place(record, now), record, iter(()))
            self._brands.add(brand, now)
            return brand.id

    def add_campaign(self, brand_id: str, /, **fields: Any) -> str:
        """A campaign created now, without orders or numbers."""
        with self.lock:
            brand, now = self.find(Brand, brand_id), self.clock.seconds()
            name = brand.fields(now).get("name") or "Nameless"
            made_up = campaign_fields(self._rng, str(name), len(brand.campaigns.rows), now)
            record = {**made_up, "updated_at": made_up["created_at"], **fields}
            place = _place(record, now)
            campaign = self._population.campaign(place, record, iter(()), iter(()))
            brand.campaigns.add(campaign, now)
            return campaign.id

    def add_order(self, campaign_id: str, /, **fields: Any) -> str:
        """An order created now, `pending` unless `fields` say otherwise, without a schedule.

        A `created_at` in the past determines its position in the list; with one in the future,
        or one that is not a timestamp, it is the newest.
        """
        with self.lock:
            campaign, now = self.find(Campaign, campaign_id), self.clock.seconds()
            record = {**order_fields(draw_id(self._rng), stamp(now), None), **fields}
            if "updated_at" not in fields:
                record["updated_at"] = stamp(now)
            _date_processing(record, fields)
            order = Order(_place(record, now), record, (), now, whole=False)
            campaign.orders.add(order, now)
            return order.id

    def add_number(self, campaign_id: str, /, **fields: Any) -> str:
        """A number assignment created now."""
        with self.lock:
            campaign, now = self.find(Campaign, campaign_id), self.clock.seconds()
            made_up = number_fields(self._rng, campaign_id, self._rng.randrange(70_000), now)
            record = {**made_up, "updated_at": made_up["created_at"], **fields}
            number = Number(_place(record, now), record, (), now, whole=False)
            campaign.numbers.add(number, now)
            return number.id

    def insert_raw_brand(self, raw: Any) -> None:
        """Any JSON value at the head of the list of brands, served as is, in that list only."""
        self._insert_raw(self._brands, raw)

    def insert_raw_campaign(self, brand_id: str, raw: Any) -> None:
        """Any JSON value at the head of a brand's campaigns."""
        self._insert_raw(self.find(Brand, brand_id).campaigns, raw)

    def insert_raw(self, campaign_id: str, raw: Any) -> None:
        """Any JSON value at the head of a campaign's orders."""
        self._insert_raw(self.find(Campaign, campaign_id).orders, raw)

    # Changes. `updated_at` becomes now unless it is given, and a schedule stops.

    def update_brand(self, brand_id: str, /, **fields: Any) -> None:
        self._update(self.find(Brand, brand_id), fields)

    def update_campaign(self, campaign_id: str, /, **fields: Any) -> None:
        self._update(self.find(Campaign, campaign_id), fields)

    def update_number(self, number_id: str, /, **fields: Any) -> None:
        self._update(self.find(Number, number_id), fields)

    def update_order(self, order_id: str, /, **fields: Any) -> None:
        """An order set to `processed` without a `processed_at` gets its `updated_at`."""
        self._update(self.find(Order, order_id), fields)

    def patch_order(self, order_id: str, /, **fields: Any) -> None:
        """Add or override fields without changing `updated_at`; the schedule continues."""
        with self.lock:
            _refuse_id(fields)
            order = self.find(Order, order_id)
            order.write({**order.fields(self.clock.seconds()), **fields})

    # Removals. A removed record answers 404, and so does everything below it.

    def remove_campaign(self, campaign_id: str) -> None:
        self._remove(self.find(Campaign, campaign_id))

    def restore_campaign(self, campaign_id: str) -> None:
        self._restore(Campaign, campaign_id)

    def remove_order(self, order_id: str) -> None:
        self._remove(self.find(Order, order_id))

    def restore_order(self, order_id: str) -> None:
        self._restore(Order, order_id)

    def remove_number(self, number_id: str) -> None:
        self._remove(self.find(Number, number_id))

    def restore_number(self, number_id: str) -> None:
        self._restore(Number, number_id)

    def _insert_raw(self, shelf: Shelf, raw: Any) -> None:
        with self.lock:
            now = self.clock.seconds()
            shelf.add(Row(now, raw), now)

    def _update(self, row: Row, fields: dict[str, Any]) -> None:
        with self.lock:
            _refuse_id(fields)
            now = self.clock.seconds()
            record = {**row.fields(now), "updated_at": stamp(now), **fields}
            if isinstance(row, Scheduled):
                row.stop()
            if isinstance(row, Order):
                _date_processing(record, fields)
            row.write(record)

    def _remove(self, row: Row) -> None:
        with self.lock:
            row.shelf.remove(row)

    def _restore(self, kind: type[Row], row_id: str) -> None:
        with self.lock:
            row = self._population.index.get(row_id)
            if not isinstance(row, kind) or row.shelf.holds(row):
                raise NotFoundError(f"no {kind.__name__.lower()} {row_id} was removed")
            row.shelf.restore(row_id)


def _place(record: dict[str, Any], now: float) -> float:
    """The position of an added record by its `created_at`; never in the future."""
    if not isinstance(record["id"], str) or not record["id"]:
        raise ValueError("an added record needs a string for its id; see the insert_raw methods")
    created = moment_of(record["created_at"])
    return now if created is None else min(created, now)


def _date_processing(record: dict[str, Any], given: dict[str, Any]) -> None:
    """Set `processed_at` of an order that was just set to processed."""
    if record["state"] == PROCESSED and record.get("processed_at") is None:
        record["processed_at"] = given.get("processed_at", record["updated_at"])


def _refuse_id(fields: dict[str, Any]) -> None:
    if "id" in fields:
        raise ValueError("a record's id does not change")
