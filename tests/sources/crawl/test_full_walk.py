"""What an ordinary run cannot see is found within a day, by a walk to the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import Workspace, true_orders
from support.changes import deleted, settle_all

from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600


class TestCaughtWithinADay:
    """What no partial walk can find is found by the next walk to the end."""

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

    @pytest.mark.proof
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

    @pytest.mark.proof
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

    @pytest.mark.proof
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

    @pytest.mark.proof
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
