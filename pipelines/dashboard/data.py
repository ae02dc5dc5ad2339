"""Reads what the dashboard shows from the reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.dashboard import queries
from pipelines.dashboard.board import (
    Age,
    Bin,
    Campaign,
    Check,
    Dashboard,
    Failure,
    Flow,
    Freshness,
    Pace,
    Period,
    Step,
    Stuck,
    Summary,
    TargetShare,
)
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports, reports_dataset
from sources.signalwire.errors import ConfigurationError

# up to so many days they are shown one by one, above that by weeks
MOST_DAYS = 45
MOST_FLOW_POINTS = 400


def load(target: Destination) -> Dashboard:
    """Reads all of it in one transaction, so that the numbers agree with each other.

    Raises:
        ConfigurationError: the views are not there.
    """
    with target.opened() as client, _snapshot(client):
        target.begin_snapshot(client)
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
    periods = [Period(*row) for row in rows(queries.PERIODS, period=period)]
    return Dashboard(
        dataset=dataset,
        freshness=Freshness(*rows(queries.AS_OF)[0]),
        summary=Summary(*rows(queries.SUMMARY)[0]),
        pace=Pace(*rows(queries.PACE)[0]),
        checks=[Check(*row) for row in rows(queries.CHECKS)],
        failures=[Failure(*row) for row in rows(queries.FAILURES)],
        targets=[TargetShare(*row) for row in rows(queries.TARGETS)],
        period=period,
        periods=periods[::-1],
        survival=[Step(*row) for row in rows(queries.SURVIVAL)],
        histogram=[Bin(*row) for row in rows(queries.HISTOGRAM)],
        flow=thinned(flow),
        backlog=[Age(*row) for row in rows(queries.BACKLOG)],
        campaigns=[Campaign(*row) for row in rows(queries.CAMPAIGNS)],
        stuck=[Stuck(*row) for row in rows(queries.STUCK)],
    )


def thinned(flow: Sequence[Flow]) -> Sequence[Flow]:
    """Every n-th day counted from the last, and the first, where there are too many to draw."""
    every = -(-len(flow) // MOST_FLOW_POINTS)
    if every <= 1:
        return flow
    kept = list(flow[::-1][::every][::-1])
    return kept if kept[0] == flow[0] else [flow[0], *kept]
