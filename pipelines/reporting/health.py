"""The health of a destination and its data: for the command line, Airflow and metrics alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.destinations.base import Destination
from pipelines.destinations.configuration import require_folder
from pipelines.destinations.naming import in_reports
from pipelines.destinations.rows import instant
from pipelines.errors import NothingLoaded
from pipelines.errors.explain import explain
from pipelines.reporting.catalog import configured_reports, dialect_of
from pipelines.reporting.judging import found_of
from pipelines.reporting.limits import Limits, configured_limits
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.http.access_check import Probed

# a run limited to some campaigns leaves the others as old as they were; of shards, all count
NEWEST_RUN = """
SELECT max(finished_at) FROM (
    SELECT min(finished_at) AS finished_at FROM (
        SELECT coalesce(shards, 1) AS shards, max(finished_at) AS finished_at FROM {runs}
        WHERE complete AND narrowed_to IS NULL GROUP BY coalesce(shards, 1), coalesce(shard, 1)
    ) AS parts GROUP BY shards HAVING count(*) = shards
) AS layouts
"""
CONTENTS = "SELECT count(*), max(updated_at) FROM {orders}"
FIGURES = """
SELECT (SELECT as_of FROM {reports}.data_as_of),
    (SELECT orders - deleted FROM {reports}.processing_time_summary),
    (SELECT open FROM {reports}.processing_time_summary),
    (SELECT count(*) FROM {reports}.stuck_orders)
"""


def probe_destination(target: Destination, limits: Sequence[Limits]) -> Iterator[Probed]:
    """Checks that the destination opens, how old its data is, and what limits are exceeded.

    The limits of all orders come first, then any of brands and campaigns.
    """
    where = f"{target.description}, dataset {target.dataset}"
    fine = not any(limit.judged for limit in limits)
    nothing = Probed("freshness", fine, "nothing loaded yet: signalwire-orders run")
    try:
        target.require_loadable()
        target.check_server()
        with target.opened() as client:
            yield from _found(target, where)
            tables = {t: client.make_qualified_table_name(t) for t in ("runs", "orders")}
            try:
                ((finished_at,),) = client.execute_sql(NEWEST_RUN.format(**tables))
                ((orders, updated_at),) = client.execute_sql(CONTENTS.format(**tables))
            except DestinationUndefinedEntity:
                yield nothing
                return
            yield _freshness(finished_at, orders, updated_at, limits[0].max_age)
            yield from _of_reports(client, target, limits)
    except NothingLoaded:
        try:
            require_folder(target.file or Path(), where)
        except ConfigurationError as error:
            yield Probed("destination", False, str(error))
            return
        yield from _found(target, where)
        yield nothing
    except Exception as error:  # noqa: BLE001 - whatever keeps the database shut is the finding
        yield Probed("destination", False, f"{where}: {explain(error)[0]}")


def judged(findings: Iterable[Probed], limits: Sequence[Limits]) -> list[Probed]:
    """The findings that a limit is set for, or that need none.

    Without a limit nothing was judged: that must not resolve what a check with one has found.
    """
    of_all = {"freshness": limits[0].max_age, "stuck": limits[0].max_stuck}
    unjudged = {name for name, limit in of_all.items() if limit is None}
    return [found for found in findings if (found.key or found.what) not in unjudged]


def configured_findings(target: Destination) -> list[Probed]:
    """What the limits of the settings find; nothing where none is set, or of a shard alone."""
    limits = configured_limits()
    if target.shard or not target.capabilities.reports or not any(x.judged for x in limits):
        return []
    found = judged(probe_destination(target, limits), limits)
    # that the place answers is no limit, unless it does not
    return [f for f in found if f.key or f.what == "freshness" or not f.ok]


def data_figures(target: Destination) -> dict[str, float]:
    """The figures of the data that metrics show; none where there are no reports yet."""
    try:
        with target.opened() as client:
            sql = FIGURES.format(reports=in_reports(client, target.dataset))
            as_of, orders, open_now, stuck = client.execute_sql(sql)[0]
    except (DestinationUndefinedEntity, NothingLoaded):
        return {}
    figures = {
        "data_timestamp_seconds": as_of.timestamp() if as_of else None,
        "orders": orders,
        "orders_open": open_now,
        "orders_stuck": stuck,
    }
    return {name: float(value) for name, value in figures.items() if value is not None}


def _found(target: Destination, where: str) -> Iterator[Probed]:
    yield Probed("destination", True, where)
    if not target.by_default:
        command = f"dlt pipeline --pipelines-dir {target.pipelines_dir} {target.pipeline_name} info"
        yield Probed("dlt", True, command)
    for caveat in target.caveats():
        yield Probed("limits", True, caveat)


def _freshness(
    finished_at: datetime | str | None,
    orders: int,
    updated_at: datetime | str | None,
    max_age: float | None,
) -> Probed:
    if finished_at is None:
        return Probed("freshness", False, "no complete run yet: signalwire-orders run")
    age = (datetime.now(timezone.utc) - instant(finished_at)).total_seconds()
    newest = ""
    if updated_at:
        newest = f", the newest changed {instant(updated_at):%Y-%m-%d %H:%M:%S} UTC"
    words = f"{orders:,} orders{newest}; read {age / 60:.0f} min ago"
    return Probed("freshness", max_age is None or age <= max_age, words)


def _of_reports(client: Any, target: Destination, limits: Sequence[Limits]) -> Iterator[Probed]:
    """What the reports say of the limits, where there are reports."""
    schema = in_reports(client, target.dataset)
    try:
        ((as_of,),) = client.execute_sql(f"SELECT as_of FROM {schema}.data_as_of")  # noqa: S608
    except DestinationUndefinedEntity:
        if any(limit.judged_by_reports for limit in limits):
            dialect_of(target)  # refuses a destination without reports
            yield Probed("reports", False, "none yet: signalwire-orders reports apply")
        return
    reports = configured_reports()
    for number, limit in enumerate(limits):
        if number == 0 or limit.judged:
            yield from found_of(client, target, reports, limit, instant(as_of) if as_of else None)
