"""Exact under change: what the next ordinary run brings, and how little it reads for it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from support import Workspace, true_orders
from support.changes import deleted, requests_for, settle_all

from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600


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

    @pytest.mark.proof
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


@pytest.mark.proof
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
