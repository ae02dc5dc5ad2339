"""Exact under change: what moved, what vanished, what came back, on every destination."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from support import Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600


def requests_for(space: SimulatedSpace, run: Callable[[], Any]) -> list[str]:
    """The API requests that a run makes for orders."""
    space.journal.clear()
    run()
    return [e.path_qs for e in space.journal.entries() if "/orders" in e.path]


def deleted(workspace: Workspace) -> set[str]:
    rows = workspace.table("orders")
    return {row["id"] for row in rows if row["deleted_at"] is not None}


@pytest.fixture
def large(open_space: OpenSpace) -> SimulatedSpace:
    """One campaign of 300 orders that nobody adds to."""
    return open_space(brands=1, campaigns=1, orders=300, arrivals_per_day=0)


def settle_all(space: SimulatedSpace) -> list[str]:
    """Makes every order processed; their ids, the newest first."""
    ids = [record["id"] for _, _, record in space.world.truth_orders()]
    for order_id in ids:
        space.world.update_order(order_id, state="processed")
    return ids


class TestFollowed:
    """Changes that the next ordinary run brings."""

    def test_orders_that_move_on(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        any_workspace.run(space)
        for _ in range(4):
            space.clock.advance(5 * HOUR)
            any_workspace.run(space, page_size=5)
            assert any_workspace.orders() == true_orders(space)

    @pytest.mark.parametrize("state", ["pending", "failed", "reviewing", None])
    def test_an_unsettled_order_deep_down(
        self, large: SimulatedSpace, workspace: Workspace, state: str | None
    ) -> None:
        ids = settle_all(large)
        large.world.update_order(ids[250], state=state)
        workspace.run(large)
        large.clock.advance(HOUR)
        large.world.update_order(ids[250], state="processed")
        made = requests_for(large, lambda: workspace.run(large, page_size=10))
        assert workspace.orders() == true_orders(large)
        assert [path.split("?")[0].rsplit("/", 1)[1] for path in made] == ["orders", ids[250]]

    def test_many_unsettled_orders_deep_down_through_their_states_list(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        for order_id in ids[200:240]:
            large.world.update_order(order_id, state="failed")
        workspace.run(large)
        large.clock.advance(HOUR)
        large.world.update_order(ids[205], state="processed")
        large.world.patch_order(ids[210], status_callback_url="https://example.com/new")
        large.world.update_order(ids[211], state="failed")
        made = requests_for(large, lambda: workspace.run(large, page_size=20))
        assert workspace.orders()[0] is not None
        assert sum("filter_state=failed" in path for path in made) == 2
        assert len(made) == 4  # a page, two of the failed, and the one that has left them
        changed = {row["id"]: row for row in workspace.orders()}
        assert changed[ids[205]]["state"] == "processed"

    def test_a_server_that_ignores_the_state_filter(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        for order_id in ids[200:240]:
            large.world.update_order(order_id, state="failed")
        workspace.run(large)
        large.clock.advance(HOUR)
        for order_id in ids[200:240]:
            large.world.update_order(order_id, state="processed")
        orders = [record for _, _, record in large.world.truth_orders()]
        body = {"links": {}, "data": orders[:20]}
        large.faults.add(Fault("filter_state", "respond", status=200, body=body))
        workspace.run(large, page_size=20)
        assert workspace.orders() == true_orders(large)

    def test_new_orders_on_several_pages(self, large: SimulatedSpace, workspace: Workspace) -> None:
        settle_all(large)
        workspace.run(large)
        ((_, campaign_id, _), *_) = large.world.truth_orders()
        large.clock.advance(HOUR)
        for _ in range(35):
            large.clock.advance(1)
            large.world.add_order(campaign_id, state="processed")
        made = requests_for(large, lambda: workspace.run(large, page_size=10))
        assert workspace.orders() == true_orders(large)
        assert len(made) == 4

    def test_pages_out_of_order_are_read_to_the_end(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        workspace.run(large)
        large.clock.advance(HOUR)
        # the second order of the list says that it was created later than the first
        moment = large.clock.now()
        large.world.patch_order(ids[1], created_at=moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
        large.world.update_order(ids[280], state="processed")
        made = requests_for(large, lambda: workspace.run(large, page_size=50))
        assert len(made) == 6
        row = next(row for row in workspace.orders() if row["id"] == ids[280])
        assert row == next(row for row in true_orders(large) if row["id"] == ids[280])

    def test_an_order_that_vanished_while_unsettled(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        for order_id in (ids[3], ids[250]):
            large.world.update_order(order_id, state="pending")
        workspace.run(large)
        for order_id in (ids[3], ids[250]):
            large.world.remove_order(order_id)
        large.clock.advance(HOUR)
        workspace.run(large, page_size=20)
        assert deleted(workspace) == {ids[3], ids[250]}
        assert workspace.orders() == true_orders(large)


class TestCaughtWithinADay:
    """What nobody expects is found by the next walk to the end."""

    @pytest.mark.parametrize("how", ["after a day", "on request"])
    def test_a_settled_order_that_changed_and_one_that_vanished(
        self, large: SimulatedSpace, any_workspace: Workspace, how: str
    ) -> None:
        ids = settle_all(large)
        any_workspace.run(large)
        large.clock.advance(HOUR)
        large.world.update_order(ids[280], state="failed")
        large.world.patch_order(ids[281], status_callback_url="https://example.com/quiet")
        large.world.remove_order(ids[282])
        any_workspace.run(large, page_size=50)
        assert any_workspace.orders() != true_orders(large)
        large.clock.advance(HOUR if how == "on request" else DAY)
        result = any_workspace.run(large, page_size=50, full=how == "on request")
        assert any_workspace.orders() == true_orders(large)
        assert deleted(any_workspace) == {ids[282]}
        counts = result.stats.counts()
        assert (counts["orders_loaded"], counts["orders_deleted"]) == (3, 1)
        assert result.stats.mode == ("full" if how == "on request" else "incremental")

    def test_the_next_day_is_counted_from_the_last_full_walk(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        settle_all(large)
        walks = []
        for hours in (0, 20, 5, 20, 5):
            large.clock.advance(hours * HOUR)
            counts = workspace.run(large).stats.counts()
            walks.append(counts["full_walks"])
        assert walks == [0, 0, 1, 0, 1]

    def test_an_order_that_comes_back_to_life(
        self, large: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        any_workspace.run(large)
        for order_id in ids[40:50]:
            large.world.remove_order(order_id)
        large.clock.advance(DAY)
        any_workspace.run(large)
        assert deleted(any_workspace) == set(ids[40:50])
        for order_id in ids[40:45]:
            large.world.restore_order(order_id)
        large.clock.advance(DAY)
        any_workspace.run(large)
        assert deleted(any_workspace) == set(ids[45:50])
        assert any_workspace.orders() == true_orders(large)

    def test_no_order_is_called_deleted_because_a_list_left_it_out(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        settle_all(large)
        workspace.run(large)
        orders = [record for _, _, record in large.world.truth_orders()]
        large.faults.add(
            Fault(
                "/campaigns/.*/orders", "respond", status=200,
                body={"links": {}, "data": orders[:290]},
            )
        )  # fmt: skip
        assert workspace.run(large, full=True).stats.complete
        assert deleted(workspace) == set()
        assert workspace.orders() == true_orders(large)

    def test_nor_because_it_could_not_be_asked(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        workspace.run(large)
        large.world.remove_order(ids[9])
        large.faults.add(Fault(ids[9], "respond", status=500))
        large.clock.advance(DAY)
        assert not workspace.run(large).stats.complete
        assert deleted(workspace) == set()
        large.faults.clear()
        workspace.run(large)  # what failed is tried again at once, not a day later
        assert deleted(workspace) == {ids[9]}

    def test_an_order_that_slid_past_the_reader(
        self, open_space: OpenSpace, workspace: Workspace
    ) -> None:
        """One leaves the first page, so that one moves there from the second unread."""
        space = open_space(brands=1, campaigns=1, orders=30, arrivals_per_day=0)
        ids = settle_all(space)
        space.clock.advance(HOUR)
        space.on_request = lambda path: (
            space.world.remove_order(ids[3]) if "page_number=1&" in path else None
        )
        workspace.run(space, page_size=10)
        space.on_request = None
        assert {row["id"] for row in workspace.orders()} == {*ids} - {ids[10]}
        space.clock.advance(DAY)
        workspace.run(space, page_size=10)
        assert workspace.orders() == true_orders(space)
        assert deleted(workspace) == {ids[3]}

    def test_rows_that_somebody_took_from_the_destination(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        import duckdb

        workspace.run(large)
        with duckdb.connect(str(workspace.database)) as connection:
            connection.execute("DELETE FROM signalwire.orders WHERE id < '5'")
            connection.execute("UPDATE signalwire.orders SET state = 'x' WHERE id > 'e'")
        workspace.run(large, full=True)
        assert workspace.orders() == true_orders(large)

    def test_a_campaign_that_is_gone_for_good(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        _, campaign = space.world.truth_campaigns()[0]
        gone = {r["id"] for _, c, r in space.world.truth_orders() if c == campaign["id"]}
        space.world.remove_campaign(campaign["id"])
        space.clock.advance(DAY)
        assert any_workspace.run(space).stats.complete
        assert deleted(any_workspace) == gone
        space.journal.clear()
        any_workspace.run(space)
        assert space.journal.count(campaign["id"]) == 0
        space.world.restore_campaign(campaign["id"])
        space.clock.advance(DAY)
        any_workspace.run(space)
        assert deleted(any_workspace) == set()
        assert any_workspace.orders() == true_orders(space)

    def test_a_campaign_that_a_list_left_out(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        brand_id, _ = space.world.truth_campaigns()[0]
        nothing = {"links": {}, "data": []}
        space.faults.add(Fault(f"brands/{brand_id}/campaigns", "respond", status=200, body=nothing))
        space.clock.advance(DAY)
        workspace.run(space)
        assert deleted(workspace) == set()
        assert workspace.orders() == true_orders(space)


class TestCheap:
    """Little is read and less written when little changed."""

    def test_nothing_changed(self, large: SimulatedSpace, any_workspace: Workspace) -> None:
        large.world.add_campaign(large.world.truth_brands()[0]["id"])  # without orders
        any_workspace.run(large)
        before = any_workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state")
        large.clock.advance(1)
        result = any_workspace.run(large)
        assert result.stats.counts()["orders_loaded"] == 0
        assert result.stats.counts()["requests"] == 4
        assert any_workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state") == before

    def test_three_changes_in_a_large_campaign(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        for order_id in (ids[5], ids[150], ids[290]):
            large.world.update_order(order_id, state="processing")
        workspace.run(large)
        large.clock.advance(HOUR)
        for order_id in (ids[5], ids[150], ids[290]):
            large.world.update_order(order_id, state="processed")
        made = requests_for(large, lambda: workspace.run(large, page_size=10))
        assert len(made) == 3
        assert workspace.orders() == true_orders(large)

    def test_an_order_untouched_for_long_counts_as_settled(
        self, large: SimulatedSpace, workspace: Workspace
    ) -> None:
        ids = settle_all(large)
        for order_id in ids[100:120]:
            large.world.update_order(order_id, state="failed")
        workspace.run(large)
        large.clock.advance(40 * DAY)
        workspace.run(large)
        large.clock.advance(HOUR)
        made = requests_for(large, lambda: workspace.run(large, page_size=10))
        assert len(made) == 1


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


def test_a_campaign_listed_twice_is_read_once(space: SimulatedSpace, workspace: Workspace) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    body = {"links": {}, "data": [campaign, campaign]}
    space.faults.add(Fault(f"brands/{brand_id}/campaigns", "respond", status=200, body=body))
    counts = workspace.run(space).stats.counts()
    assert space.journal.count(f"{campaign['id']}/orders") == 1
    assert counts["campaigns"] == 3


def test_the_search_for_a_campaign_ends_when_it_is_found(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=20, campaigns=1)
    _, campaign = space.world.truth_campaigns()[0]
    workspace.run(space, campaign_ids=[campaign["id"]], workers=1)
    assert space.journal.count("brands/.*/campaigns") < 5


def test_read_at_is_the_servers_time(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    for row in workspace.table("orders"):
        assert abs(row["read_at"] - space.clock.now()) < timedelta(hours=1)
    assert datetime.now(timezone.utc) - space.clock.now() > timedelta(days=30)


def test_a_restored_backup_of_the_database(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    backup = workspace.folder / "backup"
    shutil.copy(workspace.database, backup)
    for _ in range(3):
        space.clock.advance(3 * HOUR)
        workspace.run(space)
    shutil.copy(backup, workspace.database)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)
