"""First load, changes, quiet run, full walk: whole rows against the space's truth."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from support import DeltaWorkspace, Workspace, true_orders
from support.histories import cutting

from sources.simulator import SimulatedSpace

HOUR, DAY = 3600, 24 * 3600
TABLES = ("orders", "order_changes", "campaigns", "brands")


def test_a_first_load_and_changes(space: SimulatedSpace, workspace: Workspace) -> None:
    assert workspace.run(space).stats.mode == "backfill"
    assert workspace.orders() == true_orders(space)
    for _ in range(3):
        space.clock.advance(2 * DAY)
        result = workspace.run(space, page_size=5)
        assert result.stats.mode == "incremental"
        assert result.stats.counts()["orders_loaded"] > 0
        assert workspace.orders() == true_orders(space)
    ids = [row["id"] for row in workspace.table("order_changes")]
    assert len(ids) == len(set(ids)) > len(workspace.orders())


@pytest.mark.proof
def test_a_run_that_is_loaded_in_stretches(space: SimulatedSpace, workspace: Workspace) -> None:
    space.set_latency(50)
    for full in (False, True):
        with cutting():
            workspace.run(space, full=full, workers=1, page_size=2)
        assert workspace.orders() == true_orders(space)
        space.clock.advance(2 * DAY)
        space.world.remove_order(true_orders(space)[5]["id"])
    ids = [row["id"] for row in workspace.table("order_changes")]
    assert len(ids) == len(set(ids))
    loads = workspace.rows("SELECT count(*) AS number FROM _dlt_loads")
    assert loads[0]["number"] > 3


@pytest.mark.proof
def test_of_all_states_the_last_is_kept(space: SimulatedSpace, workspace: Workspace) -> None:
    """Each has the cursors of all campaigns; dlt keeps the last hundred where they are files."""
    for _ in range(3):
        workspace.run(space)
        space.clock.advance(2 * DAY)
    states = workspace.rows("SELECT pipeline_name, version FROM _dlt_pipeline_state")
    assert len(states) == (3 if isinstance(workspace, DeltaWorkspace) else 1)
    assert max(row["version"] for row in states) == 3


def test_a_run_without_changes_writes_no_row(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space, include_sensitive=True)
    before = {name: workspace.rows(f"SELECT * FROM {name}") for name in TABLES}
    result = workspace.run(space, include_sensitive=True)
    assert result.stats.counts()["orders_loaded"] == 0
    # the load's id in each row tells that none was written again
    assert {name: workspace.rows(f"SELECT * FROM {name}") for name in TABLES} == before


@pytest.mark.proof
def test_a_full_walk_with_orders_that_vanish_and_return(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    vanished = true_orders(space)[5]["id"]
    space.world.remove_order(vanished)
    space.clock.advance(HOUR)
    assert workspace.run(space, full=True).stats.counts()["orders_deleted"] == 1
    assert workspace.orders() == true_orders(space)
    (row,) = (row for row in workspace.table("orders") if row["id"] == vanished)
    assert row["deleted_at"] is not None
    space.clock.advance(HOUR)
    space.world.restore_order(vanished)
    workspace.run(space, full=True)
    assert workspace.orders() == true_orders(space)
    assert vanished in {row["id"] for row in workspace.orders()}


def test_without_the_working_folder(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    shutil.rmtree(workspace.folder / "data")
    assert workspace.run(space).stats.counts()["orders_loaded"] == 0
    space.clock.advance(2 * DAY)
    shutil.rmtree(workspace.folder / "data")
    assert workspace.run(space).stats.mode == "incremental"
    assert workspace.orders() == true_orders(space)


def test_a_space_without_an_order(
    open_space: Callable[..., SimulatedSpace], workspace: Workspace
) -> None:
    assert workspace.run(open_space(brands=0)).stats.complete
    for table in ("orders", "campaigns", "brands", "rejected", "campaign_failures"):
        assert workspace.table(table) == []
    assert len(workspace.table("runs")) == 1
