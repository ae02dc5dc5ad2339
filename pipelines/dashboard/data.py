"""What the dashboard shows, read from the reports. Durations are in hours, times in UTC."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.dashboard import queries
from pipelines.destinations.naming import in_reports, reports_dataset
from pipelines.destinations.reading import opened
from pipelines.destinations.resolve import Target
from sources.signalwire.errors import ConfigurationError

# a history of up to so many days is shown by day, a longer one by week
MOST_DAYS = 45
MOST_FLOW_POINTS = 400


class Freshness(NamedTuple):
    """The reports' current time, and the newest run; times are None before a complete run."""

    as_of: datetime | None
    last_run_at: datetime | None
    last_run_complete: bool


class Summary(NamedTuple):
    """The measures over all orders; see measures.sql among the reports."""

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
    """Orders processed in the last seven days, and in the seven days before those."""

    this_week: int
    week_before: int


class Check(NamedTuple):
    """A failed data quality check."""

    name: str
    severity: str
    rows: int
    meaning: str


class Failure(NamedTuple):
    """A list that the newest run could not read; `total` counts all of them."""

    name: str | None
    path: str
    reason: str
    total: int


class TargetShare(NamedTuple):
    """The share of orders processed within a target, among those old enough to count."""

    hours: float
    is_main: bool
    orders: int
    missed: int
    share: float | None


class Period(NamedTuple):
    """The orders created on a day, or in the week that starts on it."""

    start: date
    orders: int
    open: int
    median: float | None
    p90: float | None
    median_all: float | None
    p90_all: float | None


class Step(NamedTuple):
    """A point of the survival curve with its 95 % band; `naive` counts processed orders only."""

    hours: float
    at_risk: int
    share: float
    lower: float | None
    upper: float | None
    naive: float | None


class Bin(NamedTuple):
    """Orders that took 10^(place/8) minutes or more; place -1 is less than a minute."""

    place: int
    orders: int


class Flow(NamedTuple):
    """Orders arrived and processed by the end of a day, and those open then."""

    day: date
    arrived: int
    processed: int
    open: int


class Age(NamedTuple):
    """Open orders in an age bucket."""

    name: str
    from_hours: float | None
    orders: int
    oldest: float | None


class Campaign(NamedTuple):
    """The measures of a campaign; `total` counts all campaigns."""

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
    """An order that has waited longer than usual; `total` counts all of them."""

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
    """Everything on the page; `period` is day or week."""

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


def load(target: Target) -> Dashboard:
    """Reads everything in one transaction, so that the numbers agree with each other.

    Raises:
        ConfigurationError: the views do not exist.
    """
    with opened(target) as client, _snapshot(client):
        if target.kind == "postgres":
            client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            schemas = {
                "dataset": client.fully_qualified_dataset_name(),
                "reports": in_reports(client, target.dataset),
            }
            return _read(target.dataset, schemas, client.execute_sql)
        except DestinationUndefinedEntity as error:
            raise ConfigurationError(
                f"nothing to show yet: there are no reports in {reports_dataset(target.dataset)}"
                f" ({target.description}). Load the orders with: signalwire-orders run;"
                " if they are there already, make the reports with: signalwire-orders reports apply"
            ) from error


def _snapshot(client: Any) -> AbstractContextManager[Any]:
    transaction: AbstractContextManager[Any] = client.begin_transaction()
    return transaction


def _read(
    dataset: str, schemas: Mapping[str, str], execute: Callable[[str], Sequence[Any] | None]
) -> Dashboard:
    def rows(query: str, **names: str) -> Sequence[Any]:
        return execute(query.format(**schemas, **names)) or ()

    flow = [Flow(*row) for row in rows(queries.FLOW)]
    period = "day" if len(flow) <= MOST_DAYS else "week"
    return Dashboard(
        dataset=dataset,
        freshness=Freshness(*rows(queries.AS_OF)[0]),
        summary=Summary(*rows(queries.SUMMARY)[0]),
        pace=Pace(*rows(queries.PACE)[0]),
        checks=[Check(*row) for row in rows(queries.CHECKS)],
        failures=[Failure(*row) for row in rows(queries.FAILURES)],
        targets=[TargetShare(*row) for row in rows(queries.TARGETS)],
        period=period,
        periods=[Period(*row) for row in rows(queries.PERIODS, period=period)][::-1],
        survival=[Step(*row) for row in rows(queries.SURVIVAL)],
        histogram=[Bin(*row) for row in rows(queries.HISTOGRAM)],
        flow=thinned(flow),
        backlog=[Age(*row) for row in rows(queries.BACKLOG)],
        campaigns=[Campaign(*row) for row in rows(queries.CAMPAIGNS)],
        stuck=[Stuck(*row) for row in rows(queries.STUCK)],
    )


def thinned(flow: Sequence[Flow]) -> Sequence[Flow]:
    """Every n-th day counted from the newest, and the oldest, where there are too many to draw."""
    every = -(-len(flow) // MOST_FLOW_POINTS)
    if every <= 1:
        return flow
    kept = list(flow[::-1][::every][::-1])
    return kept if kept[0] == flow[0] else [flow[0], *kept]
