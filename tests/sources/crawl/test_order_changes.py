"""The table `order_changes`, and that an older version never replaces a newer one."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from support import Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

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


class TestNeverBackwards:
    """An older version never replaces a newer one, and an id is there once."""

    def test_a_package_left_on_another_machine(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        other = any_workspace.folder / "other machine"
        any_workspace.run(space)
        space.clock.advance(6 * HOUR)
        any_workspace.leave_package(space, other, monkeypatch)
        space.clock.advance(6 * HOUR)
        any_workspace.run(space)
        now = any_workspace.table("orders")
        space.faults.add(Fault("", "respond", status=500))
        monkeypatch.setenv("DLT_DATA_DIR", str(other))
        with pytest.raises(Exception, match="500"):
            any_workspace.run(space)  # loads what was left, and can read nothing
        assert any_workspace.table("orders") == now
        space.faults.clear()
        any_workspace.run(space)
        assert any_workspace.orders() == true_orders(space)

    def test_a_restored_backup_of_the_database(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        backup = workspace.folder / "backup"
        shutil.copy(workspace.database, backup)
        for _ in range(3):
            space.clock.advance(3 * HOUR)
            workspace.run(space)
        shutil.copy(backup, workspace.database)
        workspace.run(space)
        assert workspace.orders() == true_orders(space)

    @pytest.mark.parametrize(
        "versions",
        [
            [("pending", 1), ("processed", 3)],
            [("processed", 3), ("pending", 1)],
            [("pending", None), ("processed", None)],
            [("processed", 3), ("processing", 2), ("pending", 1)],
        ],
        ids=str,
    )
    @pytest.mark.parametrize("pages", ["one page", "a page each"])
    def test_an_id_twice_in_one_load(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        versions: list[tuple[str, int | None]],
        pages: str,
    ) -> None:
        _, campaign_id, order = space.world.truth_orders()[0]
        path = f"/api/relay/rest/registry/beta/campaigns/{campaign_id}/orders"
        records = [
            order | {"state": state, "updated_at": n and f"2026-01-0{n}T00:00:00Z"}
            for state, n in versions
        ]
        served = [records] if pages == "one page" else [[record] for record in records]
        for number, data in enumerate(served, start=1):
            links = {"next": f"{path}?page={number}"} if number < len(served) else {}
            space.faults.add(
                Fault(
                    f"{campaign_id}/orders", "respond", times=1, status=200,
                    body={"links": links, "data": data},
                )
            )  # fmt: skip
        any_workspace.run(space, campaign_ids=[campaign_id])
        (row,) = any_workspace.orders()
        assert row["state"] == "processed"

    def test_a_stale_answer_does_not_undo_a_newer_one(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        _, campaign_id, stale = space.world.truth_orders()[0]
        any_workspace.run(space)
        space.clock.advance(HOUR)
        space.world.update_order(stale["id"], state="reviewing")
        any_workspace.run(space)
        body = {"links": {}, "data": [stale]}
        space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=200, body=body))
        space.clock.advance(DAY)
        any_workspace.run(space, full=True)
        row = next(row for row in any_workspace.orders() if row["id"] == stale["id"])
        assert row["state"] == "reviewing"

    def test_a_timestamp_in_the_future_gives_way(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        order_id = space.world.truth_orders()[0][2]["id"]
        space.world.update_order(order_id, state="x", updated_at="2199-01-01T00:00:00Z")
        any_workspace.run(space)
        space.clock.advance(HOUR)
        space.world.update_order(order_id, state="processed")
        any_workspace.run(space, full=True)
        assert any_workspace.orders() == true_orders(space)
