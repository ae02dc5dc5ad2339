"""Records that change on a schedule, and the stream of a campaign's past and future orders."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any

import orjson

from sources.simulator.lifecycle import PENDING, PROCESSED, Schedule, draw_schedule, draw_temper
from sources.simulator.records import CALLBACK_URL, draw_id
from sources.simulator.rows import Row
from sources.simulator.timestamps import DAY, stamp

HISTORY_DAYS = 90
# One order in eight has whole seconds, written without ".000".
WHOLE_SECONDS_SHARE = 1 / 8
CALLBACK_SHARE = 0.4
# how much longer orders of a campaign take that became slower
SLOWER_TIMES = 3


class Scheduled(Row):
    """A record that follows a schedule.

    It keeps only its future steps; past ones are in its JSON. That is small enough for a million
    orders, and reading one that will not change again costs a comparison.
    """

    __slots__ = ("_ahead", "_whole", "changes_at")

    def __init__(
        self, created: float, fields: dict[str, Any], schedule: Schedule, now: float, whole: bool
    ) -> None:
        self._whole = whole
        self._ahead = schedule[1:]
        self.created = created
        self._walk(fields, now)
        super().__init__(created, fields, fields["id"])

    def move_on(self, now: float) -> None:
        fields = orjson.loads(self.body)
        self._walk(fields, now)
        self.write(fields)

    def stop(self) -> None:
        """Stop the schedule: the record was edited."""
        self._ahead, self.changes_at = (), math.inf

    def _walk(self, fields: dict[str, Any], now: float) -> None:
        """Take every step that is due."""
        passed = 0
        for offset, state in self._ahead:
            if self.created + offset > now:
                break
            moment = stamp(self.created + offset, whole=self._whole)
            fields["state"], fields["updated_at"] = state, moment
            if state == PROCESSED:
                fields["processed_at"] = moment
            passed += 1
        self._ahead = self._ahead[passed:]
        self.changes_at = self.created + self._ahead[0][0] if self._ahead else math.inf


class Order(Scheduled):
    """A number assignment order."""

    __slots__ = ()


def order_fields(order_id: str, created_at: str, callback_url: str | None) -> dict[str, Any]:
    """A new order: exactly the documented fields."""
    return {
        "id": order_id,
        "state": PENDING,
        "processed_at": None,
        "created_at": created_at,
        "updated_at": created_at,
        "status_callback_url": callback_url,
    }


def draw_orders(
    rng: random.Random, count: int, per_day: float, start: float, slower_from: float = math.inf
) -> Iterator[Order]:
    """A campaign's orders by creation: `count` in the 90 days before `start`, then arrivals."""
    temper = draw_temper(rng)
    slower = temper._replace(median_seconds=SLOWER_TIMES * temper.median_seconds)
    for created, whole in moments(rng, count, per_day, start):
        callback = CALLBACK_URL if rng.random() < CALLBACK_SHARE else None
        fields = order_fields(draw_id(rng), stamp(created, whole=whole), callback)
        pace = temper if created < slower_from else slower
        schedule = draw_schedule(rng, pace, digits=0 if whole else 3)
        yield Order(created, fields, schedule, start, whole)


def moments(
    rng: random.Random, count: int, per_day: float, start: float
) -> Iterator[tuple[float, bool]]:
    """Creations and whether they are whole seconds: `count` before `start`, and arrivals."""
    return chain(_history(rng, count, start), _arrivals(rng, per_day, start))


def _history(rng: random.Random, count: int, start: float) -> Iterator[tuple[float, bool]]:
    """Creations before `start` and whether they are whole seconds, oldest first."""
    moments = (start - rng.random() * HISTORY_DAYS * DAY for _ in range(count))
    # An iterator frees its list at the end; the list itself would live as long as the arrivals.
    return iter(sorted(_rounded(rng, moment, math.floor) for moment in moments))


def _arrivals(rng: random.Random, per_day: float, start: float) -> Iterator[tuple[float, bool]]:
    """Creations after `start`, endless, at a mean rate of `per_day`."""
    moment = start
    while per_day > 0:
        # Rounded up, so that creation times never decrease.
        moment, whole = _rounded(rng, moment + rng.expovariate(per_day / DAY), math.ceil)
        yield moment, whole


def _rounded(
    rng: random.Random, moment: float, rounding: Callable[[float], int]
) -> tuple[float, bool]:
    whole = rng.random() < WHOLE_SECONDS_SHARE
    factor = 1 if whole else 1000
    return rounding(moment * factor) / factor, whole
