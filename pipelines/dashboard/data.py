"""What the dashboard shows, read from the reports. Durations are in hours, times in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any, NamedTuple

import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.dashboard import queries
from pipelines.dashboard.packing import Order, Packed, borders, pack
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports, reports_dataset
from pipelines.destinations.rows import shown_names
from sources.signalwire.errors import ConfigurationError

# named as in queries.py
Row = dict[str, Any]
EPOCH = date(1970, 1, 1)
TEXT, DAY, TRUTH = pa.string(), pa.date32(), pa.bool_()
ORDER_SCHEMA = pa.schema(
    zip(Order._fields, (TEXT, DAY, DAY, TEXT, pa.float64(), TRUTH, TRUTH), strict=True)
)


class Table(NamedTuple):
    """The rows of a table, and which of their columns are shown."""

    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page."""

    dataset: str
    freshness: Row
    summary: Row
    checks: list[Row]
    failures: list[Row]
    targets: list[Row]
    campaigns: list[Row]
    # of all, brands and use cases
    number_times: list[Row]
    tables: dict[str, Table]
    orders: Packed

    @property
    def stuck(self) -> int:
        """How many orders have waited longer than usual; not all need be in the table."""
        rows = self.tables["stuck"].rows
        return int(rows[0]["total"]) if rows else 0

    @property
    def today(self) -> int:
        """The day of the reports' current time, counted from the epoch."""
        as_of: datetime | None = self.freshness["as_of"]
        return (as_of.astimezone(timezone.utc).date() - EPOCH).days if as_of else 0

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
            with client.begin_transaction():
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


def _read(target: Destination, client: Any) -> Dashboard:
    schemas = {
        "dataset": client.fully_qualified_dataset_name(),
        "reports": in_reports(client, target.dataset),
    }

    def table(query: str) -> Table:
        with client.execute_query(query.format(**schemas)) as cursor:
            names = shown_names(client, cursor)
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            return Table([name for name in names if name in queries.COLUMNS], rows)

    targets = table(queries.TARGETS).rows
    campaigns = table(queries.CAMPAIGNS).rows
    tables = {name: table(query) for name, query in queries.TABLES.items()}
    times = table(queries.NUMBER_TIMES).rows
    of_campaign = {row["group_id"]: row for row in times if row["grouped_by"] == "campaign"}
    for row in tables["numbers"].rows:
        row.update(of_campaign.get(row["campaign_id"], {}))
    places = {campaign["campaign_id"]: place for place, campaign in enumerate(campaigns)}
    orders = _orders(target.stream(client, queries.ORDERS.format(**schemas), ORDER_SCHEMA))
    return Dashboard(
        dataset=target.dataset,
        freshness=table(queries.FRESHNESS).rows[0],
        summary=table(queries.SUMMARY).rows[0],
        checks=table(queries.CHECKS).rows,
        failures=table(queries.FAILURES).rows,
        targets=targets,
        campaigns=campaigns,
        number_times=[row for row in times if row["grouped_by"] != "campaign"],
        tables=tables,
        orders=pack(orders, places, borders(target["hours"] for target in targets)),
    )


def _orders(tables: Iterator[pa.Table]) -> Iterator[Order]:
    for table in tables:
        columns = (c.cast(pa.int32()) if pa.types.is_date(c.type) else c for c in table.columns)
        yield from map(Order, *(column.to_pylist() for column in columns))
