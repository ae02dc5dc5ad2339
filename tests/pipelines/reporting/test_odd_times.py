"""Orders with times that cannot be: no report grows or shifts by them, and each is counted."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import Workspace, true_orders

from pipelines.dashboard.data import load
from pipelines.dashboard.page import render
from pipelines.destinations.resolve import find_target
from pipelines.reporting.catalog import REPORT_NAMES
from sources.signalwire.crawl import run_record as bookkeeping
from sources.simulator import SimulatedSpace

EARLY = ("0001-01-01 00:00:00Z", "1970-01-01 00:00:00Z", "2018-12-31 23:59:59Z")
ODD = (*EARLY, "9999-12-31 12:00:00Z")
CHECKS = ("dated before 10DLC existed", "dated in the future", "changed before they were created")
TIMES = ("created_at", "updated_at", "processed_at")
# what orders that are left out of the processing times change all the same
COUNTS = {"orders", "processed", "open", "failed", "deleted"}


def told(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    return workspace.rows(sql.replace("@", "signalwire_reports."))


def report(workspace: Workspace, name: str) -> list[dict[str, Any]]:
    return told(workspace, f"SELECT * FROM @{name}")


def set_time(workspace: Workspace, name: str, value: str, where: str) -> None:
    """Gives some orders another time, as the API would serve it."""
    workspace.execute(f"UPDATE signalwire.orders SET {name} = TIMESTAMPTZ '{value}' WHERE {where}")


def one_order(workspace: Workspace, state: str) -> str:
    """A condition that only one order of that state meets."""
    orders = f"SELECT min(id) AS id FROM orders WHERE state = '{state}'"
    return f"id = '{workspace.rows(orders)[0]['id']}'"


def copy_order(workspace: Workspace, state: str) -> None:
    """Adds one more order, `odd`, the copy of another."""
    columns = "campaign_id, brand_id, state, created_at, updated_at, processed_at, read_at"
    workspace.execute(
        f"INSERT INTO signalwire.orders (id, {columns}, _dlt_load_id) SELECT 'odd', {columns},"
        f" _dlt_load_id FROM signalwire.orders WHERE {one_order(workspace, state)}"
    )


def counted(workspace: Workspace) -> dict[str, int]:
    rows = report(workspace, "data_quality")
    return {r["check_name"]: r["count"] for r in rows if r["count"] and r["check_name"] in CHECKS}


def test_each_is_counted(space: SimulatedSpace, any_workspace: Workspace) -> None:
    any_workspace.run(space)
    assert counted(any_workspace) == {}
    where = one_order(any_workspace, "processed")
    (as_it_was,) = any_workspace.rows(f"SELECT {', '.join(TIMES)} FROM orders WHERE {where}")
    for name, value in itertools.product(TIMES, ODD):
        set_time(any_workspace, name, value, where)
        backwards = (name, value in EARLY) in {("updated_at", True), ("created_at", False)}
        expected = {CHECKS[0] if value in EARLY else CHECKS[1]: 1}
        expected |= {CHECKS[2]: 1} if backwards else {}
        assert counted(any_workspace) == expected, (name, value)
        set_time(any_workspace, name, str(as_it_was[name]), where)
    assert counted(any_workspace) == {}


@pytest.mark.proof
@pytest.mark.parametrize("state", ["processed", "pending"])
def test_one_more_created_then_changes_no_number_but_counts(
    space: SimulatedSpace, any_workspace: Workspace, state: str
) -> None:
    any_workspace.run(space)
    names = ("backlog_by_day", "processing_time_survival", "target_attainment", "stuck_orders")
    before = {name: report(any_workspace, name) for name in names}
    (summary,) = report(any_workspace, "processing_time_summary")
    board = load(find_target())
    copy_order(any_workspace, state)
    for value in ODD:
        set_time(any_workspace, "created_at", value, "id = 'odd'")
        assert {name: report(any_workspace, name) for name in names} == before, value
        (after,) = report(any_workspace, "processing_time_summary")
        assert after["orders"] == summary["orders"] + 1
        assert {n: v for n, v in after.items() if n not in COUNTS} == {
            n: v for n, v in summary.items() if n not in COUNTS
        }, value
        odd_board = load(find_target())
        assert odd_board.orders.orders == board.orders.orders + 1
        assert odd_board.orders.first_day == board.orders.first_day, value
        assert render(odd_board)
        ages = report(any_workspace, "backlog")
        unknown = [age["orders"] for age in ages if age["from_hours"] is None]
        assert unknown == ([1] if state == "pending" else [])


def test_processed_then_it_has_no_time_and_left_when_it_changed(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(space)
    where = one_order(any_workspace, "processed")
    for value in ODD:
        set_time(any_workspace, "processed_at", value, where)
        (row,) = told(any_workspace, f"SELECT * FROM @order_processing WHERE order_{where}")
        assert (row["status"], row["processing_hours"]) == ("processed", None), value
        assert row["left_at"] == row["updated_at"], value


@pytest.mark.proof
def test_where_no_order_has_a_likely_time_nothing_breaks(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(space)
    for value in ODD:
        for name in TIMES:
            set_time(any_workspace, name, value, "TRUE")
        assert report(any_workspace, "backlog_by_day") == [], value
        (day,) = report(any_workspace, "processing_time_by_day")
        (summary,) = report(any_workspace, "processing_time_summary")
        assert (day["created_day"], day["orders"]) == (None, summary["orders"]), value
        board = load(find_target())
        assert (board.orders.first_day, board.orders.orders) == (0, summary["orders"])
        assert render(board)


def test_a_change_dated_then_counts_from_when_it_was_seen(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(space)
    for value in ODD:
        any_workspace.execute(
            f"UPDATE signalwire.order_changes SET updated_at = TIMESTAMPTZ '{value}'"
            " WHERE state = 'pending'"
        )
        rows = told(
            any_workspace, "SELECT hours, is_current FROM @state_durations WHERE state = 'pending'"
        )
        assert rows
        assert all(row["is_current"] and row["hours"] < 1 for row in rows), value


@pytest.mark.proof
def test_orders_of_a_newer_run_are_not_of_the_future(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    """A run that could not read everything loads orders that are younger than `as_of`."""
    any_workspace.run(space)
    where = one_order(any_workspace, "processed")
    for name in ("updated_at", "processed_at"):
        set_time(any_workspace, name, "2026-03-03 14:00:00Z", where)
    assert counted(any_workspace) == {"dated in the future": 1}
    any_workspace.execute(
        "INSERT INTO signalwire.runs (run_id, complete, read_at, _dlt_load_id)"
        " VALUES ('newer', FALSE, TIMESTAMPTZ '2026-03-03 15:00:00Z', '1')"
    )
    assert counted(any_workspace) == {}
    (row,) = told(any_workspace, f"SELECT * FROM @order_processing WHERE order_{where}")
    assert row["processing_hours"] > 24


@pytest.mark.proof
def test_the_api_may_serve_them(
    space: SimulatedSpace, any_workspace: Workspace, tmp_path: Path
) -> None:
    orders = iter(space.world.truth_orders())
    for value in ODD:
        for name in ("created_at", "processed_at", "updated_at"):
            space.world.update_order(next(orders)[2]["id"], **{name: value.replace(" ", "T")})
    any_workspace.run(space)
    assert any_workspace.orders() == true_orders(space)
    assert counted(any_workspace)["dated before 10DLC existed"] == 9
    for name in sorted(REPORT_NAMES):
        assert report(any_workspace, name) is not None
    for name in ("order_processing", "backlog", "stuck_orders", "processing_time_by_day"):
        done = any_workspace.command("report", name, "--format", "csv", TZ="America/New_York")
        assert done.returncode == 0, done.stderr
    copy = tmp_path / "copy.duckdb"
    done = any_workspace.command("publish", str(copy))
    assert done.returncode == 0, done.stderr
    with duckdb.connect(str(copy), read_only=True) as published:
        (days,) = published.sql("SELECT count(*) FROM signalwire_reports.backlog_by_day").fetchall()
    assert days[0] == len(report(any_workspace, "backlog_by_day")) < 400
    assert any_workspace.run(space).stats.counts()["orders_loaded"] == 0


@pytest.mark.proof
def test_a_clock_that_is_set_back_makes_no_negative_duration(
    space: SimulatedSpace, any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class SetBack(datetime):
        """The machine's clock, an hour earlier each time it is looked at."""

        looks = 0

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> SetBack:
            cls.looks += 1
            moment = datetime.now(tz) - timedelta(hours=cls.looks)
            return cls.fromtimestamp(moment.timestamp(), tz)

    monkeypatch.setattr(bookkeeping, "datetime", SetBack)
    any_workspace.run(space)
    (row,) = any_workspace.rows("SELECT started_at, finished_at, seconds FROM runs")
    assert row["finished_at"] < row["started_at"]
    assert 0 <= row["seconds"] < 3600
