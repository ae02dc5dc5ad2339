"""What the reports say of limits: how many, which ones, and the command that shows more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pipelines.destinations.base import Destination
from pipelines.reporting.catalog import Report
from pipelines.reporting.limits import SEVERITIES, Limits
from pipelines.reporting.rows import Narrowing, relation
from sources.signalwire.http.access_check import Probed

EXAMPLES = 5
SHOW = "signalwire-orders report"
CAMPAIGNS = "processing_time_by_campaign"
LONGEST_FIRST = "p90_hours_all DESC NULLS FIRST"


@dataclass(frozen=True)
class _Reports:
    """The reports of a destination, as a client reads them."""

    client: Any
    target: Destination
    reports: Mapping[str, Report]

    def rows(
        self, columns: str, name: str, narrowing: Narrowing, further: str = ""
    ) -> list[tuple[Any, ...]]:
        """Expressions over a narrowed report, which further clauses may filter and order."""
        source = relation(self.client, self.target, self.reports, name, narrowing)
        sql = f"SELECT {columns} FROM {source} {further}"  # noqa: S608 - nothing but our own names
        return list(self.client.execute_sql(sql) or ())


def found_of(
    client: Any,
    target: Destination,
    reports: Mapping[str, Report],
    limits: Limits,
    as_of: datetime | None,
) -> Iterator[Probed]:
    """A finding for each limit, and how many orders are stuck.

    Args:
        client: dlt's SQL client, with an open connection.
        target: Where the tables are.
        reports: The reports, by name.
        limits: What is still well.
        as_of: What reports call now; None without a run.

    Raises:
        DestinationUndefinedEntity: dlt's; a report is missing.
        ConfigurationError: the brand or campaign is not loaded.
    """
    read = _Reports(client, target, reports)
    of = "".join(f" of {n} {v}" for n, v in limits.narrowing.given.items())
    for judge in JUDGES:
        if found := judge(read, limits, as_of):
            yield found._replace(
                words=f"{found.words}{f' ({of[1:]})' if of else ''}", key=f"{found.what}{of}"
            )


def _stuck(read: _Reports, limits: Limits, _: datetime | None) -> Probed | None:
    """How many orders are stuck; of all orders also without a limit."""
    most, narrowing = limits.max_stuck, limits.narrowing
    if most is None and narrowing.given:
        return None
    ((count, oldest),) = read.rows("count(*), max(age_hours)", "stuck_orders", narrowing)
    command = f"{SHOW} stuck_orders{narrowing.as_options}"
    words = f"{count:,} open for longer than is usual"
    if count:
        words += f", the oldest for {oldest / 24:.1f} days: {command}"
    if most is None or count <= most:
        return Probed("stuck", True, words, (), command)
    columns = "order_id, campaign_name, age_hours"
    some = f"ORDER BY age_hours DESC, order_id LIMIT {EXAMPLES}"
    rows = read.rows(columns, "stuck_orders", narrowing, some)
    examples = [
        f"{order_id} of {campaign}: {age / 24:.1f} days" for order_id, campaign, age in rows
    ]
    return Probed("stuck", False, words, tuple(examples), command)


def _within(read: _Reports, limits: Limits, as_of: datetime | None) -> Probed | None:
    """The share of orders that were processed as promised."""
    least = limits.min_within_target
    if least is None:
        return None
    recent, period = _recent(limits, as_of)
    columns = "count(within_target), count(CASE WHEN within_target THEN 1 END)"
    ((told, within),) = read.rows(columns, "order_processing", recent)
    ok = not told or within >= least * told
    words = f"no order {period} is old enough to judge"
    if told:
        words = (
            f"{within / told:.1%} of {told:,} orders {period} were processed as promised;"
            f" wanted are {least:.1%}"
        )
    measure = "share_within_target"
    worst = () if ok else _worst(read, recent, measure, measure, "{:.1%}")
    return Probed("in time", ok, words, worst, f"{SHOW} {CAMPAIGNS}{recent.as_options}")


def _p90(read: _Reports, limits: Limits, as_of: datetime | None) -> Probed | None:
    """The time within which nine of ten orders are processed, waiting ones included."""
    if limits.max_p90 is None:
        return None
    most = limits.max_p90 / 3600
    recent, period = _recent(limits, as_of)
    ((p90,),) = read.rows("p90_hours_all", "processing_time_summary", recent)
    ((longest,),) = read.rows("max(observed_hours)", "order_processing", recent)
    if p90 is not None:
        ok, words = p90 <= most, f"90 % of the orders {period} were processed within {p90:.1f} h"
    else:
        # more than a tenth is still waiting after the longest time of all
        ok = longest is None or longest <= most
        words = f"fewer than 90 % of the orders {period} are processed"
        words += f", after up to {longest:.1f} h" if longest is not None else ""
    words += f"; the limit is {most:g} h"
    worst = () if ok else _worst(read, recent, "p90_hours_all", LONGEST_FIRST, "{:.1f} h")
    return Probed("p90", ok, words, worst, f"{SHOW} {CAMPAIGNS}{recent.as_options}")


def _failed(read: _Reports, limits: Limits, as_of: datetime | None) -> Probed | None:
    """How many orders failed."""
    if limits.max_failed is None:
        return None
    recent, period = _recent(limits, as_of)
    recent = replace(recent, status="failed")
    ((count,),) = read.rows("count(*)", "order_processing", recent)
    words = f"{count:,} orders {period} have failed; the limit is {limits.max_failed:,}"
    command = f"{SHOW} order_processing{recent.as_options}"
    if count <= limits.max_failed:
        return Probed("failed", True, words, (), command)
    some = f"ORDER BY created_at DESC, order_id LIMIT {EXAMPLES}"
    rows = read.rows("order_id, campaign_name", "order_processing", recent, some)
    examples = tuple(f"{order_id} of {campaign}" for order_id, campaign in rows)
    return Probed("failed", False, words, examples, command)


def _quality(read: _Reports, limits: Limits, _: datetime | None) -> Probed | None:
    """Findings of the report data_quality that are severe enough."""
    if limits.max_data_quality is None:
        return None
    severe = SEVERITIES[: SEVERITIES.index(limits.max_data_quality) + 1]
    columns = "check_name, severity, count"
    found = read.rows(columns, "data_quality", limits.narrowing, "WHERE count > 0")
    rows = [row for row in found if row[1] in severe]
    rows.sort(key=lambda row: (severe.index(row[1]), row[0]))
    least = f"{limits.max_data_quality}{' or worse' if len(severe) > 1 else ''}"
    words = f"{len(rows):,} data checks of severity {least} found something"
    examples = tuple(f"{name}: {count:,} ({severity})" for name, severity, count in rows[:EXAMPLES])
    command = f"{SHOW} data_quality{limits.narrowing.as_options}"
    return Probed("data quality", not rows, words, examples, command)


JUDGES: tuple[Callable[[_Reports, Limits, datetime | None], Probed | None], ...] = (
    _stuck, _within, _p90, _failed, _quality,
)  # fmt: skip


def _recent(limits: Limits, as_of: datetime | None) -> tuple[Narrowing, str]:
    """The orders that shares, p90 and failures are judged by, and that in words."""
    since = as_of - timedelta(seconds=limits.over) if as_of else None
    days = limits.over / 86_400
    span = f"{days:g} days" if days >= 2 else f"{limits.over / 3600:g} hours"
    return replace(limits.narrowing, since=since), f"created in the last {span}"


def _worst(
    read: _Reports, recent: Narrowing, measure: str, order: str, written: str
) -> tuple[str, ...]:
    """The campaigns that a measure is worst of."""
    columns = f"campaign_name, {measure}, orders"
    some = f"ORDER BY {order}, campaign_id LIMIT {EXAMPLES}"
    rows = read.rows(columns, CAMPAIGNS, recent, some)
    return tuple(
        f"{campaign}: {written.format(value) if value is not None else 'not yet'}"
        f" of {orders:,} orders"
        for campaign, value, orders in rows
    )
