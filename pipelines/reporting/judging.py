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
    """The reports of a destination, as a client reads them, and the limits they are judged by.

    Shares, p90 and failures are of the `recent` orders, which `period` says in words.
    """

    client: Any
    target: Destination
    reports: Mapping[str, Report]
    limits: Limits
    recent: Narrowing
    period: str

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

    `as_of` is what reports call now; None without a run.
    """
    since = as_of - timedelta(seconds=limits.over) if as_of else None
    days = limits.over / 86_400
    span = f"{days:g} days" if days >= 2 else f"{limits.over / 3600:g} hours"
    recent = replace(limits.narrowing, since=since)
    read = _Reports(client, target, reports, limits, recent, f"created in the last {span}")
    of = "".join(f" of {n} {v}" for n, v in limits.narrowing.given.items())
    # with a slash it would be a part of another, and well when all of that is
    key = of.replace("/", "%2F")
    for judge in JUDGES:
        if found := judge(read):
            yield found._replace(
                words=f"{found.words}{f' ({of[1:]})' if of else ''}", key=f"{found.what}{key}"
            )


def _stuck(read: _Reports) -> Probed | None:
    """How many orders are stuck; of all orders also without a limit."""
    most, narrowing = read.limits.max_stuck, read.limits.narrowing
    if most is None and narrowing.given:
        return None
    ((count, oldest),) = read.rows("count(*), max(age_hours)", "stuck_orders", narrowing)
    ok = most is None or count <= most
    command = f"{SHOW} stuck_orders{narrowing.as_options}"
    words = f"{count:,} open for longer than is usual"
    if count:
        words += f", the oldest for {oldest / 24:.1f} days: {command}"
    columns = "order_id, campaign_name, age_hours"
    some = f"ORDER BY age_hours DESC, order_id LIMIT {EXAMPLES}"
    rows = [] if ok else read.rows(columns, "stuck_orders", narrowing, some)
    examples = tuple(f"{order} of {campaign}: {age / 24:.1f} days" for order, campaign, age in rows)
    return Probed("stuck", ok, words, examples, command)


def _within(read: _Reports) -> Probed | None:
    """The share of orders that were processed as promised."""
    least = read.limits.min_within_target
    if least is None:
        return None
    columns = "count(within_target), count(CASE WHEN within_target THEN 1 END)"
    ((told, within),) = read.rows(columns, "order_processing", read.recent)
    ok = not told or within >= least * told
    words = f"no order {read.period} is old enough to judge"
    if told:
        words = (
            f"{within / told:.1%} of {told:,} orders {read.period} were processed as promised;"
            f" wanted are {least:.1%}"
        )
    measure = "share_within_target"
    worst = () if ok else _worst(read, measure, measure, "{:.1%}")
    return Probed("in time", ok, words, worst, f"{SHOW} {CAMPAIGNS}{read.recent.as_options}")


def _p90(read: _Reports) -> Probed | None:
    """The time within which nine of ten orders are processed, waiting ones included."""
    if read.limits.max_p90 is None:
        return None
    most = read.limits.max_p90 / 3600
    ((p90,),) = read.rows("p90_hours_all", "processing_time_summary", read.recent)
    ((longest,),) = read.rows("max(observed_hours)", "order_processing", read.recent)
    if p90 is not None:
        ok = p90 <= most
        words = f"90 % of the orders {read.period} were processed within {p90:.1f} h"
    else:
        # more than a tenth is still waiting after the longest time of all
        ok = longest is None or longest <= most
        words = f"fewer than 90 % of the orders {read.period} are processed"
        words += f", after up to {longest:.1f} h" if longest is not None else ""
    words += f"; the limit is {most:g} h"
    worst = () if ok else _worst(read, "p90_hours_all", LONGEST_FIRST, "{:.1f} h")
    return Probed("p90", ok, words, worst, f"{SHOW} {CAMPAIGNS}{read.recent.as_options}")


def _failed(read: _Reports) -> Probed | None:
    """How many orders failed."""
    most, failed = read.limits.max_failed, replace(read.recent, status="failed")
    if most is None:
        return None
    ((count,),) = read.rows("count(*)", "order_processing", failed)
    ok = count <= most
    words = f"{count:,} orders {read.period} have failed; the limit is {most:,}"
    some = f"ORDER BY created_at DESC, order_id LIMIT {EXAMPLES}"
    columns = "order_id, campaign_name"
    rows = [] if ok else read.rows(columns, "order_processing", failed, some)
    examples = tuple(f"{order_id} of {campaign}" for order_id, campaign in rows)
    command = f"{SHOW} order_processing{failed.as_options}"
    return Probed("failed", ok, words, examples, command)


def _quality(read: _Reports) -> Probed | None:
    """Findings of the report data_quality that are severe enough."""
    most, narrowing = read.limits.max_data_quality, read.limits.narrowing
    if most is None:
        return None
    severe = SEVERITIES[: SEVERITIES.index(most) + 1]
    columns = "check_name, severity, count"
    found = read.rows(columns, "data_quality", narrowing, "WHERE count > 0")
    rows = [row for row in found if row[1] in severe]
    rows.sort(key=lambda row: (severe.index(row[1]), row[0]))
    least = f"{most}{' or worse' if len(severe) > 1 else ''}"
    words = f"{len(rows):,} data checks of severity {least} found something"
    examples = tuple(f"{name}: {count:,} ({severity})" for name, severity, count in rows[:EXAMPLES])
    command = f"{SHOW} data_quality{narrowing.as_options}"
    return Probed("data quality", not rows, words, examples, command)


JUDGES: tuple[Callable[[_Reports], Probed | None], ...] = (
    _stuck, _within, _p90, _failed, _quality,
)  # fmt: skip


def _worst(read: _Reports, measure: str, order: str, written: str) -> tuple[str, ...]:
    """The campaigns that a measure is worst of."""
    columns = f"campaign_name, {measure}, orders"
    some = f"ORDER BY {order}, campaign_id LIMIT {EXAMPLES}"
    rows = read.rows(columns, CAMPAIGNS, read.recent, some)
    return tuple(
        f"{campaign}: {written.format(value) if value is not None else 'not yet'}"
        f" of {orders:,} orders"
        for campaign, value, orders in rows
    )
