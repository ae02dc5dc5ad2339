"""The table `order_changes`."""

from __future__ import annotations

from collections.abc import Callable

from support import Workspace

from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600


class TestHistory:
    """The table `order_changes`."""

    def test_one_row_for_each_change_seen(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        _, campaign_id, _ = space.world.truth_orders()[0]
        order_id = space.world.add_order(campaign_id)
        runs = []
        for state in ("processing", "failed", "processed"):
            runs.append(any_workspace.run(space).stats.run_id)
            any_workspace.run(space, full=True)  # reads it again and sees no change
            space.clock.advance(HOUR)
            space.world.update_order(order_id, state=state)
        runs.append(any_workspace.run(space).stats.run_id)
        space.world.remove_order(order_id)
        space.clock.advance(HOUR)
        runs.append(any_workspace.run(space, full=True).stats.run_id)
        rows = [r for r in any_workspace.table("order_changes") if r["order_id"] == order_id]
        rows.sort(key=lambda row: row["seen_at"])
        states = ["pending", "processing", "failed", "processed", "processed"]
        assert [row["state"] for row in rows] == states
        assert [row["deleted_at"] is None for row in rows] == [True] * 4 + [False]
        assert [row["run_id"] for row in rows] == runs
        assert {row["campaign_id"] for row in rows} == {campaign_id}

    def test_a_change_loaded_again_stays_with_the_run_that_saw_it_first(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        order_id = space.world.add_order(space.world.truth_campaigns()[0][1]["id"])
        space.world.patch_order(order_id, updated_at=None)  # so it is loaded at every run
        first = any_workspace.run(space)
        second = any_workspace.run(space)
        assert second.stats.counts()["orders_loaded"] == 1
        (row,) = (r for r in any_workspace.table("order_changes") if r["order_id"] == order_id)
        assert row["run_id"] == first.stats.run_id

    def test_every_order_has_one(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        changes = workspace.table("order_changes")
        assert {row["order_id"] for row in changes} == {row["id"] for row in workspace.orders()}
        assert len(changes) == len(workspace.orders())
