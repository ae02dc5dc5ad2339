"""What a run costs in requests and rows: `make bench-cost` prints the table of docs/performance.md.

Everything is counted, nothing is timed against a bound; seconds are shown for orientation, from a
simulated space on the same machine without latency.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from pipelines.signalwire_orders import RunResult, run
from sources.simulator import Clock, SimulatedSpace

START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
HOUR = 3600
ROW = "| {0} | {requests:,} | {orders_seen:,} | {changed:,} | {orders_loaded:,} | {seconds:.1f} |"


@contextmanager
def a_space(**size: Any) -> Iterator[tuple[SimulatedSpace, Callable[[], RunResult]]]:
    """A space whose orders move only when told to, and how to run against it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        SimulatedSpace(clock=Clock(START, speed=0), arrivals_per_day=0, **size) as space,
    ):
        os.environ["DLT_DATA_DIR"] = str(Path(folder) / "data")
        os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(Path(folder) / "orders.duckdb")
        yield (
            space,
            lambda: run(space=space.url, project_id=space.project_id, api_token=space.api_token),
        )


def settle(space: SimulatedSpace) -> list[str]:
    """Makes every order processed, and returns their ids, the newest first in each campaign."""
    records = [record for _, _, record in space.world.truth_orders()]
    for record in records:
        if record["state"] != "processed":
            space.world.update_order(record["id"], state="processed")
    space.clock.advance(HOUR)  # what changed just now would be read twice, to be on the safe side
    return [record["id"] for record in records]


def report(what: str, result: RunResult, changed: int) -> None:
    print(ROW.format(what, changed=changed, seconds=result.seconds, **result.stats.counts()))


def many_campaigns() -> None:
    """1,000 campaigns of 200 orders."""
    with a_space(brands=250, campaigns=4, orders=200) as (space, once):
        ids = settle(space)
        report("first load of 1,000 campaigns of 200 orders", once(), len(ids))
        space.clock.advance(HOUR)
        report("nothing changed in 1,000 campaigns", once(), 0)
        changing = ids[:: len(ids) // 50][:50]
        for order_id in changing:
            space.world.update_order(order_id, state="processed")
        report("50 changes in 1,000 campaigns", once(), len(changing))


def large_campaign() -> None:
    """One campaign of 200,000 orders."""
    with a_space(brands=1, campaigns=1, orders=200_000) as (space, once):
        ids = settle(space)
        open_ones = [ids[7], ids[90_000], ids[190_000]]
        for order_id in open_ones:
            space.world.update_order(order_id, state="processing")
        report("first load of a campaign of 200,000 orders", once(), len(ids))
        space.clock.advance(HOUR)
        for order_id in open_ones:
            space.world.update_order(order_id, state="processed")
        report("3 open orders in a campaign of 200,000 are processed", once(), 3)


def hanging_orders() -> None:
    """One campaign of 200,000 orders, of which 2,000 have hung there for up to ten years."""
    with a_space(brands=1, campaigns=1, orders=198_000) as (space, once):
        settle(space)
        ((_, campaign),) = space.world.truth_campaigns()
        hanging = []
        for number in range(2_000):
            created = (START - timedelta(days=3650 - 1.8 * number)).strftime("%Y-%m-%dT%H:%M:%SZ")
            state = "pending" if number % 2 else "processing"
            hanging.append(
                space.world.add_order(
                    campaign["id"], state=state, created_at=created, updated_at=created
                )
            )
        once()
        space.clock.advance(HOUR)
        for order_id in hanging[::700]:
            space.world.update_order(order_id, state="processed")
        report("3 of 2,000 orders that hung for years are processed", once(), 3)


def lively_campaign() -> None:
    """The same with the usual share of open and failed orders, which all have to be followed."""
    with a_space(brands=1, campaigns=1, orders=200_000) as (space, once):
        once()
        before = {r["id"]: r for _, _, r in space.world.truth_orders()}
        space.clock.advance(HOUR)
        after = {r["id"]: r for _, _, r in space.world.truth_orders()}
        changed = sum(1 for order_id, record in after.items() if before[order_id] != record)
        report("an hour later in a campaign of 200,000 with 90 days of life", once(), changed)


def main() -> None:
    """Prints the table."""
    print("| a run | requests | orders read | changed | rows written | seconds |")
    print("|---|---|---|---|---|---|")
    many_campaigns()
    large_campaign()
    hanging_orders()
    lively_campaign()


if __name__ == "__main__":
    main()
