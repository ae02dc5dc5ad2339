"""The content of a world: brands, campaigns, orders and numbers, generated on first access.

Each part has its own random generator, seeded by the world's seed and its position, so its content
does not depend on what was accessed before.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from sources.simulator.lifecycle import (
    ACTIVE,
    APPROVAL_DAYS,
    PENDING,
    Schedule,
    draw_assignment,
)
from sources.simulator.orders import Order, Scheduled, draw_orders, moments
from sources.simulator.records import brand_fields, campaign_fields, number_fields
from sources.simulator.rows import Row, Shelf
from sources.simulator.timestamps import DAY

# Brands came first, then campaigns, then (in the last 90 days) numbers and orders.
BRANDS_BEGIN, BRANDS_END, CAMPAIGNS_END = 400, 150, 97
MONTH = 30 * DAY
SLOWER_DAYS = 21


class Scale(NamedTuple):
    """Sizes: `campaigns` per brand; `orders`, `numbers` and `arrivals_per_day` per campaign.

    `campaigns_per_month` are those that a brand registers later, `slower_campaigns` those that
    became slower.
    """

    brands: int
    campaigns: int
    orders: int
    numbers: int
    arrivals_per_day: float
    campaigns_per_month: float = 0
    slower_campaigns: int = 0


class Number(Scheduled):
    """A number assignment."""

    __slots__ = ()


class Campaign(Scheduled):
    """A campaign with its orders and numbers; one that is pending is approved after some days."""

    __slots__ = ("numbers", "orders")

    numbers: Shelf
    orders: Shelf


class Brand(Row):
    """A brand and its campaigns."""

    __slots__ = ("campaigns",)

    campaigns: Shelf


class Population:
    """Generates a world's records; `start` (seconds since 1970 UTC) separates past and future.

    All rows are entered in `index` when they join a list.
    """

    def __init__(self, seed: int, scale: Scale, start: float) -> None:
        self.seed, self.scale, self.start = seed, scale, start
        self.index: dict[str, Row] = {}

    def rng(self, *place: object) -> random.Random:
        """The generator of one part; a string seeds the same in every process."""
        return random.Random("/".join(map(str, (self.seed, *place))))

    def everything(self) -> Shelf:
        """The list of brands, the root of all else."""
        return Shelf(None, self.index, self._brands())

    def brand(self, created: float, fields: dict[str, Any], coming: Iterator[Campaign]) -> Brand:
        brand = Brand(created, fields, fields["id"])
        brand.campaigns = Shelf(brand, self.index, coming)
        return brand

    def campaign(
        self,
        created: float,
        fields: dict[str, Any],
        orders: Iterator[Row],
        numbers: Iterator[Row],
        schedule: Schedule = (),
    ) -> Campaign:
        campaign = Campaign(created, fields, schedule, self.start, whole=False)
        campaign.orders = Shelf(campaign, self.index, orders)
        campaign.numbers = Shelf(campaign, self.index, numbers)
        return campaign

    def _brands(self) -> Iterator[Brand]:
        since, until = self.start - BRANDS_BEGIN * DAY, self.start - BRANDS_END * DAY
        for number in range(self.scale.brands):
            rng = self.rng("brand", number)
            created = _between(since, until, number, self.scale.brands, rng)
            fields = brand_fields(rng, number, created)
            yield self.brand(created, fields, self._campaigns(number, fields["name"], created))

    def _campaigns(self, brand: int, brand_name: str, since: float) -> Iterator[Campaign]:
        until = self.start - CAMPAIGNS_END * DAY
        for number in range(self.scale.campaigns):
            place = brand * self.scale.campaigns + number
            rng = self.rng("campaign", place)
            created = _between(since, until, number, self.scale.campaigns, rng)
            fields = campaign_fields(rng, brand_name, number, created)
            numbers = self._numbers(place, fields["id"])
            schedule = _approval(self.rng("approval", place), self.start - created)
            pending = fields["state"] == PENDING
            yield self.campaign(
                created, fields, self._orders(place), numbers, schedule if pending else ()
            )
        yield from self._later_campaigns(brand, brand_name)

    def _later_campaigns(self, brand: int, brand_name: str) -> Iterator[Campaign]:
        """Campaigns registered after `start`: pending at first, and without orders."""
        rng, per_day = self.rng("later", brand), self.scale.campaigns_per_month * DAY / MONTH
        for number, (created, _) in enumerate(moments(rng, 0, per_day, self.start)):
            made_up = campaign_fields(rng, brand_name, self.scale.campaigns + number, created)
            fields = {**made_up, "state": PENDING, "updated_at": made_up["created_at"]}
            yield self.campaign(created, fields, iter(()), iter(()), _approval(rng))

    def _orders(self, campaign: int) -> Iterator[Order]:
        scale = self.scale
        rng = self.rng("orders", campaign)
        slower = self.start - SLOWER_DAYS * DAY if campaign < scale.slower_campaigns else math.inf
        return draw_orders(rng, scale.orders, scale.arrivals_per_day, self.start, slower)

    def _numbers(self, campaign: int, campaign_id: str) -> Iterator[Number]:
        """Assignments as orders lead to them, in the same time and at a rate in proportion."""
        scale, rng = self.scale, self.rng("numbers", campaign)
        per_day = scale.arrivals_per_day * scale.numbers / max(scale.orders, 1)
        found = moments(rng, scale.numbers, per_day, self.start)
        for number, (created, whole) in enumerate(found):
            place = campaign * scale.numbers + number
            fields = number_fields(rng, campaign_id, place, created)
            yield Number(created, fields, draw_assignment(rng), self.start, whole)


def _approval(rng: random.Random, waited: float = 0) -> Schedule:
    """The schedule of a campaign that has waited for approval for so many seconds."""
    return (0.0, PENDING), (round(waited + rng.uniform(*APPROVAL_DAYS) * DAY, 3), ACTIVE)


def _between(since: float, until: float, place: int, count: int, rng: random.Random) -> float:
    """A creation time for the `place`-th of `count` records, later than the one before."""
    return since + (until - since) * (place + rng.random()) / count
