"""What the dashboard shows, read from the reports. Durations are in hours, times in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.dashboard.packing import ORDER_SCHEMA, Packed, borders, pack
from pipelines.dashboard.queries import COLUMNS, ORDERS, QUERIES
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import reports_dataset
from pipelines.destinations.rows import fetched
from pipelines.reporting.catalog import dialect_of, in_full
from sources.signalwire.errors import ConfigurationError

# named as in queries.py
Row = dict[str, Any]


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page: the orders, and of each query its rows and the columns to show.

    A column has a name, a heading and a kind; see queries.py.
    """

    dataset: str
    rows: dict[str, list[Row]]
    columns: dict[str, list[tuple[str, str, str]]]
    orders: Packed

    @property
    def since(self) -> date | None:
        """The first day whose orders are all on the page; None if it has all orders."""
        days = self.orders.since
        return None if days is None else date(1970, 1, 1) + timedelta(days)


def load(target: Destination) -> Dashboard:
    """Reads everything in one transaction, so that the numbers agree with each other.

    Raises:
        ConfigurationError: the views do not exist.
    """
    with target.opened() as client:
        try:
            return target.in_little_memory(client, lambda: _read(target, client))
        except DestinationUndefinedEntity as error:
            raise ConfigurationError(
                f"nothing to show yet: there are no reports in {reports_dataset(target.dataset)}"
                f" ({target.description}). Load the orders with: signalwire-orders run;"
                " if they are there already, make the reports with: signalwire-orders reports apply"
            ) from error


def _read(target: Destination, client: Any) -> Dashboard:
    full = partial(in_full, schemas=target.schemas(client), dialect=dialect_of(target))
    rows, columns = {}, {}
    with client.begin_transaction():
        target.begin_snapshot(client)
        for name, query in QUERIES.items():
            names, found = fetched(client, full(query))
            rows[name] = [dict(zip(names, row, strict=True)) for row in found]
            columns[name] = [(n, *COLUMNS[n]) for n in names if n in COLUMNS]
        places = {row["campaign_id"]: place for place, row in enumerate(rows["all_campaigns"])}
        upper = borders(row["hours"] for row in rows["targets"])
        parts = target.stream(client, full(ORDERS), ORDER_SCHEMA)
        orders = pack(parts, places, upper)
    times = {r["group_id"]: r for r in rows["number_times"] if r["grouped_by"] == "campaign"}
    for row in rows["numbers"]:
        row.update(times.get(row["campaign_id"], {}))
    rows["number_times"] = [r for r in rows["number_times"] if r["grouped_by"] != "campaign"]
    return Dashboard(target.dataset, rows, columns, orders)
