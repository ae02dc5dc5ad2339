"""The rows of one report, narrowed to a campaign or to newer orders."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports
from pipelines.destinations.rows import shown_names
from pipelines.reporting.catalog import Report, dialect_of
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import CAMPAIGNS, Table

# the column that `since` filters: the first of these that a report has
SINCE = ("created_at", "created_day", "created_week", "day")


def report_rows(
    target: Destination,
    report: Report,
    campaign_id: str | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> tuple[list[str], list[Any]]:
    """The report's columns and its rows.

    At most `limit` rows, of the campaign only (in upper or lower case) and of orders created since
    then only, where these are given.

    Raises:
        ConfigurationError: the destination has no reports (yet), the report has no column to narrow
            by, or the campaign is not loaded.
    """
    dialect_of(target)
    conditions: dict[str, list[Any]] = {}
    if campaign_id:
        column = _column(report, ("campaign_id",), "--campaign")
        conditions[f"{column} IN (%s, lower(%s))"] = [campaign_id.strip()] * 2
    if since:
        conditions[f"{_column(report, SINCE, '--since')} >= %s"] = [since]
    with target.opened() as client:
        # names of reports and columns are this project's own
        sql = f"SELECT * FROM {in_reports(client, target.dataset, report.name)}"  # noqa: S608
        sql += f" WHERE {' AND '.join(conditions)}" if conditions else ""
        sql += f" LIMIT {limit:d}" if limit is not None else ""
        try:
            with client.execute_query(sql, *chain(*conditions.values())) as cursor:
                columns = list(shown_names(client, cursor))
                rows = list(cursor.fetchall())
        except DestinationUndefinedEntity:
            raise ConfigurationError(
                f"there are no reports in {target.description} yet; create them with:"
                " signalwire-orders run, or from loaded data with: signalwire-orders reports apply"
            ) from None
        if campaign_id and not rows:
            _require_campaign(client, campaign_id.strip())
    return columns, rows


def holds_rows(target: Destination, table: Table) -> bool:
    """Whether a table of the destination has any row."""
    with target.opened() as client:
        name = client.make_qualified_table_name(table.name)
        return bool(client.execute_sql(f"SELECT 1 FROM {name} LIMIT 1"))  # noqa: S608 - our own


def _column(report: Report, names: tuple[str, ...], option: str) -> str:
    column = next((name for name in names if name in report.columns), None)
    if column is None:
        raise ConfigurationError(
            f"{option} cannot narrow {report.name}: it has no {' or '.join(names)}"
        )
    return column


def _require_campaign(client: Any, campaign_id: str) -> None:
    """Refuses a campaign that is not loaded, which an empty report leaves open."""
    campaigns = client.make_qualified_table_name(CAMPAIGNS.name)
    sql = f"SELECT 1 FROM {campaigns} WHERE id IN (%s, lower(%s))"  # noqa: S608 - our own name
    if not client.execute_sql(sql, campaign_id, campaign_id):
        raise ConfigurationError(f"--campaign: no campaign {campaign_id} is loaded")
