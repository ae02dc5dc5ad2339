"""The content of a simulated space, for its server and as the truth for tests.

All methods may be called from any thread. A moment is a float, seconds since 1970 UTC.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from sources.simulator.clock import Clock
from sources.simulator.orders import HISTORY_DAYS, Order
from sources.simulator.population import Brand, Campaign, Number, Population, Scale
from sources.simulator.rows import Listing, NotFoundError, Row, Shelf

R = TypeVar("R", bound=Row)


class Registry:
    """Brands, campaigns, number assignments and orders, generated from a seed, changing by a clock.

    `brands` brands of `campaigns` campaigns, each with `numbers` number assignments and `orders`
    orders created in the 90 days before the clock's start. After it, orders arrive at a mean of
    `arrivals_per_day` per campaign (default: as in those 90 days), number assignments in
    proportion, and each brand registers `campaigns_per_month`. The first `slower_campaigns` take
    three times as long from 21 days before that start on. The same arguments and the same
    clock start give the same world.
    """

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
        rates = arrivals_per_day or 0, campaigns_per_month
        if min(brands, campaigns, orders, numbers, slower_campaigns, *rates) < 0:
            raise ValueError("a world holds 0 or more of everything")
        arrivals = orders / HISTORY_DAYS if arrivals_per_day is None else arrivals_per_day
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        scale = Scale(
            brands, campaigns, orders, numbers, arrivals, campaigns_per_month, slower_campaigns
        )
        self._population = Population(seed, scale, self.clock.start.timestamp())
        self._brands = self._population.everything()

    # For the server. Hold `lock` from reading a listing until it is no longer used.

    def brands(self) -> Shelf:
        return self._brands

    def find(self, kind: type[R], row_id: str) -> R:
        """The record of that kind and id; NotFoundError if it is not served now."""
        with self.lock:
            if row_id not in self._population.index:
                for _ in self._shelves(kind, self.clock.seconds()):
                    pass
            row = self._population.index.get(row_id)
            if isinstance(row, kind) and row.served:
                return row
        raise NotFoundError(f"there is no {kind.__name__.lower()} {row_id}")

    def listing(self, shelf: Shelf, state: str | None = None, name: str | None = None) -> Listing:
        """The list's current content, filtered."""
        with self.lock:
            now = self.clock.seconds()
            shelf.catch_up(now)
            rows = shelf.rows
            if state is not None or name is not None:
                rows = [row for row in rows if row.matches(now, state, name)]
            return Listing(rows, now)

    def json_of(self, row: Row) -> bytes:
        """The record's current JSON."""
        with self.lock:
            return row.render(self.clock.seconds())

    def warm(self) -> None:
        """Generate and render everything now instead of on first access."""
        with self.lock:
            now = self.clock.seconds()
            for kind in (Order, Number):
                for shelf in self._shelves(kind, now):
                    for row in shelf.rows:
                        row.render(now)

    # The truth: what a complete client would read now, newest first in each list.

    def truth_brands(self) -> list[Any]:
        with self.lock:
            return self._records(self._brands, self.clock.seconds())

    def truth_campaigns(self) -> list[tuple[str, Any]]:
        """(brand id, campaign) of every campaign."""
        with self.lock:
            now = self.clock.seconds()
            return [
                (brand.id, record)
                for brand in self._rows(self._brands, Brand, now)
                for record in self._records(brand.campaigns, now)
            ]

    def truth_orders(self) -> list[tuple[str, str, Any]]:
        """(brand id, campaign id, order) of every order."""
        with self.lock:
            now = self.clock.seconds()
            return [
                (brand_id, campaign.id, record)
                for brand_id, campaign in self._campaigns(now)
                for record in self._records(campaign.orders, now)
            ]

    def truth_numbers(self) -> list[tuple[str, str, Any]]:
        """(brand id, campaign id, number assignment) of every number assignment."""
        with self.lock:
            now = self.clock.seconds()
            return [
                (brand_id, campaign.id, record)
                for brand_id, campaign in self._campaigns(now)
                for record in self._records(campaign.numbers, now)
            ]

    def counts(self) -> dict[str, int]:
        """The number of records of each kind served now."""
        kinds = {"brands": Brand, "campaigns": Campaign, "orders": Order, "numbers": Number}
        with self.lock:
            now = self.clock.seconds()
            return {
                name: sum(len(shelf.rows) for shelf in self._shelves(kind, now))
                for name, kind in kinds.items()
            }

    def _rows(self, shelf: Shelf, kind: type[R], now: float) -> Iterator[R]:
        """The list's rows of a kind, newest first, without raw ones."""
        shelf.catch_up(now)
        return (row for row in reversed(shelf.rows) if isinstance(row, kind))

    def _records(self, shelf: Shelf, now: float) -> list[Any]:
        """The list's records, newest first, including raw ones."""
        shelf.catch_up(now)
        return [row.fields(now) for row in reversed(shelf.rows)]

    def _campaigns(self, now: float) -> Iterator[tuple[str, Campaign]]:
        for brand in self._rows(self._brands, Brand, now):
            for campaign in self._rows(brand.campaigns, Campaign, now):
                yield brand.id, campaign

    def _shelves(self, kind: type[Row], now: float) -> Iterator[Shelf]:
        """Every list that can hold rows of a kind, with everything created up to `now`."""
        for shelf in self._undrawn_shelves(kind, now):
            shelf.catch_up(now)
            yield shelf

    def _undrawn_shelves(self, kind: type[Row], now: float) -> Iterator[Shelf]:
        if kind is Brand:
            yield self._brands
        elif kind is Campaign:
            yield from (brand.campaigns for brand in self._rows(self._brands, Brand, now))
        else:
            for _, campaign in self._campaigns(now):
                yield campaign.orders if kind is Order else campaign.numbers
