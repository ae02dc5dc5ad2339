"""The shapes of what the dashboard shows. Durations are in hours, times in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class Freshness(NamedTuple):
    """The moment called now, and the newest run; times are None before any run was complete."""

    as_of: datetime | None
    last_run_at: datetime | None
    last_run_complete: bool


class Summary(NamedTuple):
    """The measures over all orders; see reports/shared/measures.sql."""

    orders: int
    processed: int
    open: int
    failed: int
    deleted: int
    median: float | None
    p90: float | None
    median_all: float | None
    p90_all: float | None
    p75: float | None
    share_censored: float | None
    share_within: float | None


class Pace(NamedTuple):
    """Orders processed in the seven days before now, and in the seven days before those."""

    this_week: int
    week_before: int


class Check(NamedTuple):
    """A check of the data that does not pass."""

    name: str
    severity: str
    rows: int
    meaning: str


class Failure(NamedTuple):
    """A list that the newest run could not read; `total` is how many there are."""

    name: str | None
    path: str
    reason: str
    total: int


class TargetShare(NamedTuple):
    """Which share of the orders old enough to tell was processed within some hours."""

    hours: float
    is_main: bool
    orders: int
    missed: int
    share: float | None


class Period(NamedTuple):
    """The orders created on a day, or in the week from that day on."""

    start: date
    orders: int
    open: int
    median: float | None
    p90: float | None
    median_all: float | None
    p90_all: float | None


class Step(NamedTuple):
    """A point of the curve of orders still waiting, with its 95 % band.

    `naive` is the share by the processed orders alone; None if there are none.
    """

    hours: float
    at_risk: int
    share: float
    lower: float | None
    upper: float | None
    naive: float | None


class Bin(NamedTuple):
    """Orders whose processing took from 10^(place/8) minutes on; -1: less than a minute."""

    place: int
    orders: int


class Flow(NamedTuple):
    """Orders arrived and processed until the end of a day, and those open then."""

    day: date
    arrived: int
    processed: int
    open: int


class Age(NamedTuple):
    """Open orders of an age."""

    name: str
    from_hours: float | None
    orders: int
    oldest: float | None


class Campaign(NamedTuple):
    """The measures of a campaign; `total` is how many campaigns there are."""

    name: str
    brand: str
    use_case: str
    orders: int
    open: int
    failed: int
    median: float | None
    p90: float | None
    median_all: float | None
    p90_all: float | None
    share_within: float | None
    total: int


class Stuck(NamedTuple):
    """An order that waits longer than is usual; `total` is how many do."""

    order_id: str
    campaign: str
    brand: str
    state: str | None
    created_at: datetime | None
    age: float
    limit: float
    limit_is: str
    total: int


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page. `period` is day or week."""

    dataset: str
    freshness: Freshness
    summary: Summary
    pace: Pace
    checks: Sequence[Check]
    failures: Sequence[Failure]
    targets: Sequence[TargetShare]
    period: str
    periods: Sequence[Period]
    survival: Sequence[Step]
    histogram: Sequence[Bin]
    flow: Sequence[Flow]
    backlog: Sequence[Age]
    campaigns: Sequence[Campaign]
    stuck: Sequence[Stuck]

    @property
    def main_target(self) -> TargetShare:
        """The target that counts when only one is shown."""
        return next(target for target in self.targets if target.is_main)
