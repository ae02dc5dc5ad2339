"""The rows of one report, narrowed to some orders or numbers."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports, literal
from pipelines.destinations.rows import fetched
from pipelines.reporting.catalog import Report, dialect_of, one_report, with_names
from pipelines.reporting.dialects import translated
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import BRANDS, CAMPAIGNS, TABLES, Table

# reports with a row per order, and per number: others that are made of them are computed again
BASES = ("order_processing", "number_processing")
# but for those that judge a row by others, which fewer would judge otherwise
WHOLE = frozenset({"slower_than_before", "stuck_orders", "failed_numbers", *BASES})
SHOWN = 5
# in DuckDB's dialect, as it is over each column that a report may have
Condition = Mapping[str, str]


@dataclass(frozen=True)
class Narrowing:
    """Which orders or numbers a report is about: those that fit all that is given.

    `campaign` and `brand` are an id or a name, `since` and `until` times of creation, the latter
    excluded.
    """

    campaign: str | None = None
    brand: str | None = None
    use_case: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    @property
    def given(self) -> dict[str, str | datetime]:
        """What is given, by the name of its option."""
        return {name: value for name, value in vars(self).items() if value is not None}

    @property
    def as_options(self) -> str:
        """The same for a command line, with a space before each."""
        return "".join(
            f" --{name.replace('_', '-')} "
            + (f"{value:%Y-%m-%d}" if isinstance(value, datetime) else shlex.quote(value))
            for name, value in self.given.items()
        )


def report_rows(
    target: Destination,
    reports: Mapping[str, Report],
    name: str,
    narrowing: Narrowing = Narrowing(),
    limit: int | None = None,
) -> tuple[list[str], list[Any]]:
    """The columns and rows of a report, at most `limit`.

    A report with a row per campaign, week and so on that has no column to narrow by is computed
    again from the orders or numbers that are left.

    Raises:
        ConfigurationError: the destination has no reports (yet), there is no such report, it
            cannot be narrowed so, or the campaign or brand is not loaded.
    """
    with target.opened() as client:
        try:
            query = relation(client, target, reports, name, narrowing)
            sql = f"SELECT * FROM {query}" + (f" LIMIT {limit:d}" if limit is not None else "")  # noqa: S608
            return target.in_little_memory(client, lambda: fetched(client, sql))
        except DestinationUndefinedEntity:
            raise ConfigurationError(
                f"there are no reports in {target.description} yet; create them with:"
                " signalwire-orders run, or from loaded data with: signalwire-orders reports apply"
            ) from None


def relation(
    client: Any,
    target: Destination,
    reports: Mapping[str, Report],
    name: str,
    narrowing: Narrowing,
) -> str:
    """A report as a statement selects from it: the view, or a query in parentheses."""
    dialect, report = dialect_of(target), one_report(reports, name)
    conditions = _conditions(client, narrowing)
    view = in_reports(client, target.dataset, name)
    if not conditions:
        return view
    if all(_on(report, condition) for condition in conditions.values()):
        query = f"SELECT * FROM {view} WHERE {_all_on(report, conditions)}"  # noqa: S608
    else:
        _require_base(reports, report, conditions)

        def narrowed(name: str) -> str:
            if name in TABLES:
                return str(client.make_qualified_table_name(name))
            full = in_reports(client, target.dataset, name)
            if name in BASES:
                return f"(SELECT * FROM {full} WHERE {_all_on(reports[name], conditions)})"  # noqa: S608
            if _base_of(reports, reports[name]):
                return f"({with_names(reports[name].query, narrowed)})"
            return full

        query = with_names(report.query, narrowed)
    return f"({translated(query, dialect)}) AS narrowed"


def holds_rows(target: Destination, table: Table) -> bool:
    """Whether a table of the destination has any row."""
    with target.opened() as client:
        name = client.make_qualified_table_name(table.name)
        return bool(client.execute_sql(f"SELECT 1 FROM {name} LIMIT 1"))  # noqa: S608 - our own


def _conditions(client: Any, narrowing: Narrowing) -> dict[str, Condition]:
    """A condition for each thing given, by its option."""
    found: dict[str, Condition] = {}
    campaigns = client.make_qualified_table_name(CAMPAIGNS.name)

    def in_campaigns(condition: str) -> str:
        return f"campaign_id IN (SELECT id FROM {campaigns} WHERE {condition})"  # noqa: S608

    for option, value in narrowing.given.items():
        if isinstance(value, datetime):
            moment, sign = value.astimezone(timezone.utc), ">=" if option == "since" else "<"
            found[option] = {
                "created_at": f"created_at {sign} CAST('{moment}' AS TIMESTAMPTZ)",
                "day": f"day {sign} CAST('{moment.date()}' AS DATE)",  # of the backlog
            }
        elif option == "campaign":
            found[option] = {"campaign_id": f"campaign_id = {_id(client, CAMPAIGNS, value)}"}
        elif option == "brand":
            of_brand = f"brand_id = {_id(client, BRANDS, value)}"
            found[option] = {"brand_id": of_brand, "campaign_id": in_campaigns(of_brand)}
        elif option == "use_case":
            wanted = f"lower({literal(value.strip())})"
            of_case = in_campaigns(f"lower(coalesce(sms_use_case, '(none)')) = {wanted}")
            found[option] = {"use_case": f"lower(use_case) = {wanted}", "campaign_id": of_case}
        else:
            found[option] = {"status": f"status = lower({literal(value.strip())})"}
    return found


def _on(report: Report, condition: Condition) -> str | None:
    """The condition as it is over this report; None where no column says it."""
    return next((sql for name, sql in condition.items() if name in report.columns), None)


def _all_on(report: Report, conditions: Mapping[str, Condition]) -> str:
    return " AND ".join(str(_on(report, condition)) for condition in conditions.values())


def _id(client: Any, table: Table, named: str) -> str:
    """The id, as SQL, that is meant by an id in upper or lower case, or by a name.

    Raises:
        ConfigurationError: there is none, or several have the name.
    """
    what, named = table.name.removesuffix("s"), named.strip()
    name = client.make_qualified_table_name(table.name)
    sql = f"SELECT id FROM {name} WHERE id IN (%s, lower(%s))"  # noqa: S608 - our own name
    found = client.execute_sql(sql, named, named)
    if not found:
        sql = f"SELECT id FROM {name} WHERE lower(name) = lower(%s) ORDER BY id"  # noqa: S608
        found = client.execute_sql(sql, named)
    ids = [row[0] for row in found or ()]
    if len(ids) > 1:
        several = ", ".join(ids[:SHOWN])
        raise ConfigurationError(
            f"--{what}: {len(ids)} {table.name} are called {named}; give an id: {several}"
        )
    if not ids:
        raise ConfigurationError(f"--{what}: no {what} {named} is loaded")
    return literal(ids[0])


def _base_of(reports: Mapping[str, Report], report: Report) -> str | None:
    """The report with a row per order or number that this one is made of, if any."""
    for name in sorted(report.sources & reports.keys()):
        found = name if name in BASES else _base_of(reports, reports[name])
        if found:
            return found
    return None


def _require_base(
    reports: Mapping[str, Report], report: Report, conditions: Mapping[str, Condition]
) -> None:
    """Refuses what no column of the report says, where it cannot be computed again."""
    base = None if report.name in WHOLE else _base_of(reports, report)
    for option, condition in conditions.items():
        if not _on(reports[base] if base else report, condition):
            columns = " or ".join(condition)
            raise ConfigurationError(
                f"--{option.replace('_', '-')} cannot narrow {report.name}: it has no {columns}"
            )
