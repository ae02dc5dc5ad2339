"""`signalwire-orders report`: a report's rows, for a person or for a script."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.cli.formats import FORMATS, narrowed
from pipelines.cli.logs import set_up_logging
from pipelines.destinations.naming import in_reports
from pipelines.destinations.resolve import find_target
from pipelines.destinations.rows import shown_names
from pipelines.reporting.catalog import Report, configured_reports, dialect_of
from sources.printable import printable
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import CAMPAIGNS

SUMMARY = "processing_time_summary"
# what --since means in a report, the first of these that it has
SINCE = ("created_at", "created_day", "created_week", "day")

# left out of a table that is too wide for the terminal, the first of these first
LESS_IMPORTANT = (
    "campaign_id", "brand_id", "mean_hours", "p75_hours", "p99_hours", "max_hours", "p95_hours",
    "deleted", "updated_at", "processed_at", "share_censored", "failed", "processed", "limit_is",
    "brand_name", "use_case", "state", "created_at", "p90_hours", "oldest_created_at",
    "median_hours", "meaning",
)  # fmt: skip


def main(arguments: argparse.Namespace) -> int:
    """Prints one report, or the summary."""
    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    dialect_of(target.kind)  # says so where there can be none
    found = configured_reports()
    name = arguments.view or SUMMARY
    if name not in found:
        raise ConfigurationError(f"there is no report {name!r}; choose from {', '.join(found)}")
    with target.opened() as client:
        view = in_reports(client, target.dataset, name)
        sql, values = _statement(found[name], view, arguments)
        try:
            with client.execute_query(sql, *values) as cursor:
                columns = shown_names(client, cursor)
                rows: list[Any] = cursor.fetchall()
        except DestinationUndefinedEntity:
            raise ConfigurationError(
                f"there are no reports in {target.description} yet; they are made by:"
                " signalwire-orders run, or from data that is there by: signalwire-orders"
                " reports apply"
            ) from None
        if arguments.campaign and not rows:
            _require_campaign(client, arguments.campaign.strip())
    width = shutil.get_terminal_size((100, 24)).columns
    left_out: list[str] = []
    if arguments.format == "table" and len(rows) > 1:
        # an id has its name beside it; any other first column says what the row is
        here = [n for n in LESS_IMPORTANT if n != columns[0] or n.endswith("_id")]
        columns, rows, left_out = narrowed(columns, rows, here, width)
    text = FORMATS[arguments.format](columns, rows, width)
    if sys.stdout.isatty():  # CSV is data, unless a terminal would act on it
        text = printable(text, lines=True)
    sys.stdout.write(text + "\n")
    if left_out:
        sys.stdout.write(f"left out: {', '.join(left_out)} (--format csv has them)\n")
    return 0


def _statement(
    report: Report, view: str, arguments: argparse.Namespace
) -> tuple[str, list[object]]:
    conditions: list[str] = []
    values: list[object] = []
    if arguments.campaign:
        conditions.append(_column(report, ("campaign_id",), "--campaign") + " IN (%s, lower(%s))")
        values += [arguments.campaign.strip()] * 2
    if arguments.since:
        conditions.append(_column(report, SINCE, "--since") + " >= %s")
        values.append(arguments.since)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    limit = f" LIMIT {arguments.limit:d}" if arguments.limit is not None else ""
    # names of reports and columns are this project's own
    return f"SELECT * FROM {view}{where}{limit}", values  # noqa: S608


def _require_campaign(client: Any, campaign_id: str) -> None:
    """Looks whether a campaign is known at all, which an empty report leaves open."""
    campaigns = client.make_qualified_table_name(CAMPAIGNS.name)
    sql = f"SELECT 1 FROM {campaigns} WHERE id IN (%s, lower(%s))"  # noqa: S608 - our own name
    if not client.execute_sql(sql, campaign_id, campaign_id):
        raise ConfigurationError(f"--campaign: {campaign_id} is none of the campaigns loaded")


def _column(report: Report, names: tuple[str, ...], option: str) -> str:
    column = next((name for name in names if name in report.columns), None)
    if column is None:
        raise ConfigurationError(
            f"{option} cannot narrow {report.name}: it has no {' or '.join(names)}"
        )
    return column
