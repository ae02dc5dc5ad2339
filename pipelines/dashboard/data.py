"""What the dashboard shows, read from the reports. Durations are in hours, times in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.dashboard import queries
from pipelines.dashboard.packing import Order, Packed, borders, pack
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports, reports_dataset
from sources.signalwire.errors import ConfigurationError

EPOCH = date(1970, 1, 1)
ORDER_SCHEMA = pa.schema(
    {
        "campaign_id": pa.string(),
        "created_day": pa.date32(),
        "left_day": pa.date32(),
        "status": pa.string(),
        "hours": pa.float64(),
        "stuck": pa.bool_(),
        "late": pa.bool_(),
    }
)


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
    median: float | None
    p90: float | None
    median_all: float | None
    p90_all: float | None
    share_within: float | None
    promises: int


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


class Target(NamedTuple):
    """Hours within which orders should be processed, and the share that was."""

    hours: float
    is_main: bool
    share: float | None


class Campaign(NamedTuple):
    """A campaign with orders or numbers, and the brand that it belongs to."""

    id: str
    name: str
    brand_id: str
    brand: str
    use_case: str


class Slow(NamedTuple):
    """The measures of one of the slowest campaigns."""

    name: str
    brand: str
    use_case: str
    orders: int
    open: int
    failed: int
    median_all: float | None
    p90_all: float | None
    median: float | None
    p90: float | None
    share_within: float | None


class Stuck(NamedTuple):
    """An order that has waited longer than usual; `total` counts all of them."""

    order_id: str
    campaign_id: str
    state: str | None
    created_at: datetime | None
    age: float
    limit: float
    limit_is: str
    total: int


class Numbers(NamedTuple):
    """How many telephone numbers a campaign has; `left` is None without a limit."""

    campaign_id: str
    numbers: int
    completed: int
    waiting: int
    failed: int
    left: int | None


class NumberTime(NamedTuple):
    """Hours until half and nine of ten numbers can send; None while too few can."""

    median_all: float | None = None
    p90_all: float | None = None


class FailedNumber(NamedTuple):
    """A number whose assignment failed."""

    phone_number: str | None
    campaign_id: str
    failed_at: datetime | None
    retries: int


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page."""

    dataset: str
    freshness: Freshness
    summary: Summary
    checks: Sequence[Check]
    failures: Sequence[Failure]
    targets: Sequence[Target]
    campaigns: Sequence[Campaign]
    slowest: Sequence[Slow]
    stuck: Sequence[Stuck]
    numbers: Sequence[Numbers]
    # by kind of group and its id, such as ("campaign", id) and ("all", "(all)")
    number_times: Mapping[tuple[str, str], NumberTime]
    failed_numbers: Sequence[FailedNumber]
    orders: Packed

    @property
    def main_target(self) -> Target:
        """The target that counts when only one is shown."""
        return next(target for target in self.targets if target.is_main)

    @property
    def stuck_count(self) -> int:
        """How many orders have waited longer than usual."""
        return self.stuck[0].total if self.stuck else 0

    @property
    def today(self) -> int:
        """The day of the reports' current time, counted from the epoch."""
        as_of = self.freshness.as_of
        return days_since_epoch(as_of) if as_of else 0

    @property
    def since(self) -> date | None:
        """The first day whose orders are all on the page; None if it has all orders."""
        return None if self.orders.since is None else EPOCH + timedelta(days=self.orders.since)


def load(target: Destination) -> Dashboard:
    """Reads everything in one transaction, so that the numbers agree with each other.

    Raises:
        ConfigurationError: the views do not exist.
    """
    with target.opened() as client:

        def read() -> Dashboard:
            with _snapshot(client):
                target.begin_snapshot(client)
                return _read(target, client)

        try:
            return target.in_little_memory(client, read)
        except DestinationUndefinedEntity as error:
            raise ConfigurationError(
                f"nothing to show yet: there are no reports in {reports_dataset(target.dataset)}"
                f" ({target.description}). Load the orders with: signalwire-orders run;"
                " if they are there already, make the reports with: signalwire-orders reports apply"
            ) from error


def days_since_epoch(moment: datetime) -> int:
    """The day of a moment (UTC), as the page counts days."""
    return (moment.astimezone(timezone.utc).date() - EPOCH).days


def _snapshot(client: Any) -> AbstractContextManager[Any]:
    transaction: AbstractContextManager[Any] = client.begin_transaction()
    return transaction


def _read(target: Destination, client: Any) -> Dashboard:
    schemas = {
        "dataset": client.fully_qualified_dataset_name(),
        "reports": in_reports(client, target.dataset),
    }

    def rows(query: str) -> Sequence[Any]:
        return client.execute_sql(query.format(**schemas)) or ()

    targets = [Target(*row) for row in rows(queries.TARGETS)]
    campaigns = [Campaign(*row) for row in rows(queries.CAMPAIGNS)]
    found = target.stream(client, queries.ORDERS.format(**schemas), ORDER_SCHEMA)
    places = {campaign.id: place for place, campaign in enumerate(campaigns)}
    return Dashboard(
        dataset=target.dataset,
        freshness=Freshness(*rows(queries.AS_OF)[0]),
        summary=Summary(*rows(queries.SUMMARY)[0]),
        checks=[Check(*row) for row in rows(queries.CHECKS)],
        failures=[Failure(*row) for row in rows(queries.FAILURES)],
        targets=targets,
        campaigns=campaigns,
        slowest=[Slow(*row) for row in rows(queries.SLOWEST)],
        stuck=[Stuck(*row) for row in rows(queries.STUCK)],
        numbers=[Numbers(*row) for row in rows(queries.NUMBERS)],
        number_times={
            (kind, group): NumberTime(*times) for kind, group, *times in rows(queries.NUMBER_TIMES)
        },
        failed_numbers=[FailedNumber(*row) for row in rows(queries.FAILED_NUMBERS)],
        orders=pack(_orders(found), places, borders(target.hours for target in targets)),
    )


def _orders(tables: Iterator[pa.Table]) -> Iterator[Order]:
    for table in tables:
        columns = (c.cast(pa.int32()) if pa.types.is_date(c.type) else c for c in table.columns)
        yield from map(Order, *(column.to_pylist() for column in columns))
