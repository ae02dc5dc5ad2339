"""`signalwire-orders check`: is everything in place, and how old is the data? One line each."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.cli.logs import set_up_logging
from pipelines.cli.messages import explain
from pipelines.destinations.base import Destination
from pipelines.destinations.naming import in_reports
from pipelines.destinations.resolve import find_target
from pipelines.destinations.rows import instant
from pipelines.errors import NothingLoaded
from pipelines.publishing.output import require_folder
from pipelines.reporting.catalog import dialect_of, require_report_settings
from sources.printable import printable
from sources.signalwire import signalwire, signalwire_client
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.http.access_check import Probed, probe
from sources.signalwire.settings import DEFAULT_PAGE_SIZE

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


def main(arguments: argparse.Namespace) -> int:
    """Prints a line for each thing tried; 0 when all is well, 1 when something is not."""
    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    signalwire()  # refuses the settings that a run would refuse; it sends nothing
    require_report_settings()
    client = signalwire_client()
    all_well = True
    for tried in (
        *probe(client, dlt.config.get("sources.signalwire.page_size", int) or DEFAULT_PAGE_SIZE),
        *probe_destination(target, max_age=arguments.max_age, max_stuck=arguments.max_stuck),
    ):
        sys.stdout.write(
            f"{'ok  ' if tried.ok else 'FAIL'}  {tried.what:<12} {printable(tried.words)}\n"
        )
        all_well = all_well and tried.ok
    client.close()
    return 0 if all_well else 1


def probe_destination(
    target: Destination, *, max_age: float | None = None, max_stuck: int | None = None
) -> Iterator[Probed]:
    """Tries to open the destination, and tells how old its data is and how many orders hang.

    Args:
        target: Where the tables are.
        max_age: Not well if the newest complete run is older, in seconds.
        max_stuck: Not well if more orders than this hang.
    """
    where = f"{target.description}, dataset {target.dataset}"
    try:
        target.require_loadable()
        target.check_server()
        with target.opened() as client:
            yield from _found(target, where)
            tables = {t: client.make_qualified_table_name(t) for t in ("runs", "orders")}
            try:
                newest = client.execute_sql(NEWEST_RUN.format(**tables)) or []
                contents = client.execute_sql(CONTENTS.format(**tables)) or []
            except DestinationUndefinedEntity:
                fine = max_age is None and max_stuck is None
                yield Probed("freshness", fine, "nothing loaded yet: signalwire-orders run")
                return
            (finished_at,), (orders, updated_at) = newest[0], contents[0]
            yield _freshness(finished_at, orders, updated_at, max_age)
            yield from _stuck(client, target, max_stuck)
    except NothingLoaded:
        try:
            require_folder(target.file or Path(), where)
        except ConfigurationError as error:
            yield Probed("destination", False, str(error))
            return
        yield from _found(target, where)
        fine = max_age is None and max_stuck is None
        yield Probed("freshness", fine, "nothing loaded yet: signalwire-orders run")
    except Exception as error:  # noqa: BLE001 - whatever keeps the database shut is the finding
        yield Probed("destination", False, f"{where}: {explain(error)[0]}")


def _found(target: Destination, where: str) -> Iterator[Probed]:
    yield Probed("destination", True, where)
    if not target.by_default:
        yield Probed("dlt", True, f"dlt pipeline --pipelines-dir {target.pipelines_dir}")
    for caveat in target.caveats():
        yield Probed("limits", True, caveat)


def _stuck(client: Any, target: Destination, most: int | None) -> Iterator[Probed]:
    """How many orders hang, where the reports tell it."""
    reports = in_reports(client, target.dataset)
    try:
        found = client.execute_sql(
            f"SELECT count(*), max(age_hours) FROM {reports}.stuck_orders"  # noqa: S608 - ours
        )
    except DestinationUndefinedEntity:
        if most is not None:
            dialect_of(target.kind)  # says so where there can be none
            words = "there are no reports yet: signalwire-orders reports apply"
            yield Probed("stuck", False, words)
        return
    count, oldest = found[0]
    words = f"{count:,} open for longer than is usual" + (
        f", the oldest for {oldest / 24:.1f} days: signalwire-orders report stuck_orders"
        if count
        else ""
    )
    yield Probed("stuck", most is None or count <= most, words)


def _freshness(
    finished_at: datetime | str | None,
    orders: int,
    updated_at: datetime | str | None,
    max_age: float | None,
) -> Probed:
    if finished_at is None:
        return Probed("freshness", False, "no complete run yet: signalwire-orders run")
    age = datetime.now(timezone.utc) - instant(finished_at)
    newest = ""
    if updated_at:
        newest = f", the newest changed {instant(updated_at):%Y-%m-%d %H:%M:%S} UTC"
    fresh = max_age is None or age.total_seconds() <= max_age
    minutes = age.total_seconds() / 60
    return Probed("freshness", fresh, f"{orders:,} orders{newest}; read {minutes:.0f} min ago")
