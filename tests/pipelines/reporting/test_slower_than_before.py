"""The test behind `slower_than_before`: its numbers, its false alarms, and what it finds."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from support.comparison import comparable, same
from support.promise_truth import slower
from support.report_tables import DuckTables, PostgresTables, Row, Tables, World
from support.report_truth import MAIN_TARGET, TARGETS, hours, processing

from pipelines.reporting.catalog import load_reports

REPORTS = load_reports(TARGETS, MAIN_TARGET)
BEGIN = datetime(2025, 1, 6, tzinfo=timezone.utc)
YEAR, CHANGE_AFTER = 364, 343
CHANGED = 8
FOUND = "SELECT * FROM signalwire_reports.slower_than_before"
# the tables as they were at an earlier time
AT = """
UPDATE signalwire.runs SET read_at = TIMESTAMPTZ '{now}';
DELETE FROM signalwire.orders;
INSERT INTO signalwire.orders SELECT * REPLACE (
    CASE WHEN state = 'processed' AND processed_at > TIMESTAMPTZ '{now}' THEN 'pending'
        ELSE state END AS state,
    CASE WHEN processed_at <= TIMESTAMPTZ '{now}' THEN processed_at END AS processed_at
) FROM whole_year WHERE created_at <= TIMESTAMPTZ '{now}'"""
# what a day does to all of its orders, as a factor of their times
DAYS = {
    "all days alike": lambda rng: np.ones_like(rng.random(YEAR)),
    "each day its own pace": lambda rng: np.exp(rng.normal(0, 0.6, YEAR)),
    "a bad day in thirty": lambda rng: np.where(rng.random(YEAR) < 1 / 30, 5, 1),
}


def year(seed: int, campaigns: int, days: str, times: float = 1) -> list[Row]:
    """Orders of a year; the first campaigns take so many times as long in the last three weeks."""
    rng = np.random.default_rng(seed)
    orders = []
    for campaign in range(campaigns):
        # an order every other day, up to ten a day
        count = rng.poisson(float(rng.choice([0.5, 1, 2, 5, 10])) * YEAR)
        created = np.sort(rng.random(count) * YEAR)
        median, spread = np.exp(rng.normal(1.5, 0.8)), rng.uniform(0.5, 1.3)
        took = median * np.exp(rng.normal(0, spread, count)) * DAYS[days](rng)[created.astype(int)]
        took = np.where((created > CHANGE_AFTER) & (campaign < CHANGED), took * times, took)
        failed = rng.random(count) < 0.03
        orders += [
            {
                "id": f"{campaign}-{number}",
                "campaign_id": f"c{campaign}",
                "brand_id": "b",
                "created_at": BEGIN + timedelta(days=day),
                "done_at": BEGIN + timedelta(days=day, hours=long),
                "failed": bool(fails),
            }
            for number, (day, long, fails) in enumerate(zip(created, took, failed, strict=True))
        ]
    return orders


def seen_at(orders: list[Row], now: datetime, since: datetime | None = None) -> World:
    """The tables of a run at that time, without orders that are too old to be compared."""
    rows = []
    for order in orders:
        if (since or now - timedelta(days=120)) < order["created_at"] <= now:
            done = order["done_at"] <= now and not order["failed"]
            rows.append(
                {name: order[name] for name in ("id", "campaign_id", "brand_id", "created_at")}
                | {
                    "state": "failed" if order["failed"] else "processed" if done else "pending",
                    "updated_at": order["created_at"],
                    "processed_at": order["done_at"] if done else None,
                    "deleted_at": None,
                }
            )
    world: dict[str, Any] = {name: [] for name in TABLES}
    return world | {"orders": rows, "runs": [{"run_id": "r", "complete": True, "read_at": now}]}


TABLES = (
    "brands", "brand_changes", "campaigns", "campaign_changes", "orders", "order_changes",
    "number_assignments", "number_assignment_changes", "runs", "campaign_failures", "rejected",
)  # fmt: skip


def check(tables: Tables, days: str) -> None:
    """Every number of the report, where orders wait, fail, and became slower."""
    now = BEGIN + timedelta(days=YEAR)
    world = seen_at(year(5, 14, days, times=3), now)
    tables.fill(world)
    found = comparable(tables.rows(FOUND))
    orders = [processing(order, {}, {}, now, []) for order in world["orders"]]
    wanted = comparable(slower(orders, lambda order: hours(now - order["created_at"])))
    assert {row["measure"] for row in wanted} == {"median", "p90"}
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        # the tail of the distribution is an approximation, right to a few percent where it matters
        assert got.pop("chance") == pytest.approx(want.pop("chance"), rel=0.1, abs=1e-9)
        assert not {n: (got[n], want[n]) for n in want if not same(got[n], want[n])}


@pytest.mark.parametrize("days", DAYS)
def test_every_number(duck_tables: DuckTables, days: str) -> None:
    check(duck_tables, days)


def test_every_number_on_postgres(postgres_tables: PostgresTables) -> None:
    check(postgres_tables, "each day its own pace")


def test_a_change_is_found_and_dated(duck_tables: DuckTables) -> None:
    """Twice as long for three weeks: most of the campaigns with enough orders, and no others."""
    orders = year(1, 60, "all days alike", times=2)
    duck_tables.fill(seen_at(orders, BEGIN + timedelta(days=YEAR)))
    rows = duck_tables.rows(FOUND)
    found = {row["campaign_id"] for row in rows}
    assert len(found & {f"c{n}" for n in range(CHANGED)}) >= CHANGED / 2
    assert len(found) <= CHANGED
    monday = date(2025, 12, 15)
    assert monday == (BEGIN + timedelta(days=CHANGE_AFTER)).date()
    off = [abs((row["worse_since"] - monday).days) for row in rows]
    assert max(off) <= 14
    assert sum(days <= 7 for days in off) > len(off) / 2
    assert all(row["hours_now"] > row["hours_before"] for row in rows)


@pytest.mark.proof
@pytest.mark.parametrize("days", DAYS)
def test_years_without_a_change_raise_few_alarms(duck_tables: DuckTables, days: str) -> None:
    """Of looks every week it may name something in one of twenty."""
    looks, alarms = 0, 0
    for seed in (2, 3, 4):
        orders = year(seed, 60, days)
        duck_tables.fill(seen_at(orders, BEGIN + timedelta(days=YEAR), since=BEGIN))
        duck_tables.execute("CREATE OR REPLACE TABLE whole_year AS FROM signalwire.orders")
        for day in range(112, YEAR, 7):
            duck_tables.execute(AT.format(now=(BEGIN + timedelta(days=day)).isoformat()))
            looks += 1
            alarms += bool(duck_tables.rows(FOUND))
    print(f"{days}: {alarms} of {looks} looks named a campaign")
    # twice what is promised: the looks of a year share most of their orders
    assert alarms <= 0.1 * looks
