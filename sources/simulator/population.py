"""The content of a world: brands, campaigns, orders and numbers, generated on first access.

Each part has its own random generator, seeded by the world's seed and its position, so its content
does not depend on what was accessed before.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from sources.simulator.orders import Order, draw_orders
from sources.simulator.records import brand_fields, campaign_fields, number_fields
from sources.simulator.rows import Row, Shelf
from sources.simulator.timestamps import DAY

# Brands came first, then campaigns, then (in the last 90 days) numbers and orders.
BRANDS_BEGIN, BRANDS_END, CAMPAIGNS_END, NUMBERS_BEGIN, NUMBERS_END = 400, 150, 97, 90, 1


class Scale(NamedTuple):
    """Sizes: `campaigns` per brand; `orders`, `numbers` and `arrivals_per_day` per campaign."""

    brands: int
    campaigns: int
    orders: int
    numbers: int
    arrivals_per_day: float


class Number(Row):
    """A number assignment."""

    __slots__ = ()


class Campaign(Row):
    """A campaign with its orders and numbers."""

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
        self, created: float, fields: dict[str, Any], orders: Iterator[Row], numbers: Iterator[Row]
    ) -> Campaign:
        campaign = Campaign(created, fields, fields["id"])
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
            yield self.campaign(created, fields, self._orders(place), numbers)

    def _orders(self, campaign: int) -> Iterator[Order]:
        scale = self.scale
        rng = self.rng("orders", campaign)
        return draw_orders(rng, scale.orders, scale.arrivals_per_day, self.start)

    def _numbers(self, campaign: int, campaign_id: str) -> Iterator[Number]:
        since, until = self.start - NUMBERS_BEGIN * DAY, self.start - NUMBERS_END * DAY
        rng = self.rng("numbers", campaign)
        for number in range(self.scale.numbers):
            created = _between(since, until, number, self.scale.numbers, rng)
            place = campaign * self.scale.numbers + number
            fields = number_fields(rng, campaign_id, place, created)
            yield Number(created, fields, fields["id"])


def _between(since: float, until: float, place: int, count: int, rng: random.Random) -> float:
    """A creation time for the `place`-th of `count` records, later than the one before."""
    return since + (until - since) * (place + rng.random()) / count
