"""Open orders are followed for ever, at few requests, on pages as short as the server cuts them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from support import Workspace, true_orders

from sources.signalwire.incremental.depth import Unsettled, pages_to_read
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600


def large_campaign(
    space: SimulatedSpace, orders: int, open_every: int, state: str = "pending"
) -> tuple[str, list[str]]:
    """A campaign of orders over ten years, some of them open; its id and theirs, oldest first."""
    campaign_id = str(space.world.truth_campaigns()[0][1]["id"])
    begin, step = space.clock.now() - timedelta(days=3650), timedelta(days=3650) / orders
    found = []
    for number in range(orders):
        at = (begin + number * step).strftime("%Y-%m-%dT%H:%M:%SZ")
        is_open = number % open_every == 0
        order_id = space.world.add_order(
            campaign_id,
            state=state if is_open else "processed",
            created_at=at,
            updated_at=at,
            processed_at=None if is_open else at,
        )
        if is_open:
            found.append(order_id)
    return campaign_id, found


def requests_of_orders(space: SimulatedSpace) -> int:
    return space.journal.count("/orders")


@pytest.fixture
def one(open_space: OpenSpace) -> SimulatedSpace:
    """A space of one campaign, still empty."""
    return open_space(brands=1, campaigns=1, orders=0, arrivals_per_day=0)


@pytest.mark.proof
@pytest.mark.parametrize("state", ["pending", "processing", "reviewing"])
def test_one_that_hangs_for_months_is_found_when_it_moves(
    one: SimulatedSpace, any_workspace: Workspace, state: str
) -> None:
    _, waiting = large_campaign(one, 60, 20, state)
    any_workspace.run(one, page_size=10)
    one.clock.advance(HOUR)
    one.world.update_order(waiting[0], state="processed")
    result = any_workspace.run(one, page_size=10)
    assert result.stats.counts()["orders_loaded"] == 1
    assert result.stats.counts()["full_walks"] == 0
    assert any_workspace.orders() == true_orders(one)


def test_one_that_failed_long_ago_is_settled(one: SimulatedSpace, any_workspace: Workspace) -> None:
    large_campaign(one, 60, 20, "failed")
    any_workspace.run(one, page_size=10)
    one.journal.clear()
    any_workspace.run(one, page_size=10)
    assert requests_of_orders(one) == 1


def test_a_plan_for_thousands_that_hang_is_to_list_them_by_their_state() -> None:
    orders = tuple(Unsettled(str(n), "pending", n * 100, n) for n in range(1, 2_001))
    assert pages_to_read(orders, 1_000) == 1


@pytest.mark.proof
def test_ten_years_of_orders_cost_eight_requests_when_three_move(
    one: SimulatedSpace, workspace: Workspace
) -> None:
    # a hundredth of 200,000 orders with 2,000 open ones, on pages of a hundredth
    _, waiting = large_campaign(one, 2_000, 100)
    workspace.run(one, page_size=10)
    one.clock.advance(HOUR)
    for order_id in waiting[::7]:
        one.world.update_order(order_id, state="processed")
    one.journal.clear()
    result = workspace.run(one, page_size=10)
    assert result.stats.counts()["orders_loaded"] == len(waiting[::7]) == 3
    assert requests_of_orders(one) <= 8
    assert workspace.orders() == true_orders(one)


@pytest.mark.parametrize("cap", [10, 40])
def test_the_page_size_that_is_served_drives_the_plan(
    one: SimulatedSpace, any_workspace: Workspace, cap: int
) -> None:
    """Asked for a thousand, the server serves few: pages of the list, not single requests."""
    _, waiting = large_campaign(one, 200, 4)
    any_workspace.run(one)
    one.clock.advance(HOUR)
    one.max_page_size = cap
    for order_id in waiting[:3]:
        one.world.update_order(order_id, state="processed")
    one.journal.clear()
    result = any_workspace.run(one)
    # the newest page, the open ones' own list, and one by one those that left it
    assert requests_of_orders(one) <= 1 + len(waiting) / cap + 1 + 3
    assert result.stats.counts()["orders_loaded"] == 3
    assert any_workspace.orders() == true_orders(one)


def test_check_shows_the_page_size_that_is_served(
    one: SimulatedSpace, workspace: Workspace
) -> None:
    large_campaign(one, 50, 50)
    shown = workspace.command("check", space=one).stdout
    assert "page size    1,000 asked for; every list tried fits on one page" in shown
    one.max_page_size = 40
    assert "page size    40 served, 1,000 asked for" in workspace.command("check", space=one).stdout


def test_one_that_is_in_two_lists_is_written_once(
    one: SimulatedSpace, workspace: Workspace
) -> None:
    campaign_id, _ = large_campaign(one, 60, 20)
    workspace.run(one, page_size=10)
    one.clock.advance(HOUR)
    for _ in range(3):
        one.world.add_order(campaign_id)
    one.journal.clear()
    result = workspace.run(one, page_size=10)
    assert one.journal.count("filter_state=pending") == 1
    assert result.stats.counts()["orders_loaded"] == 3


def test_where_many_moved_the_list_is_read_on(one: SimulatedSpace, workspace: Workspace) -> None:
    _, waiting = large_campaign(one, 200, 2)
    workspace.run(one, page_size=20)
    one.clock.advance(HOUR)
    for order_id in waiting:
        one.world.update_order(order_id, state="processed")
    one.journal.clear()
    result = workspace.run(one, page_size=20)
    assert result.stats.counts()["orders_loaded"] == 100
    assert requests_of_orders(one) <= 200 / 20 + 100 / 20 + 1
    assert workspace.orders() == true_orders(one)


def test_a_plan_for_many_open_orders_is_made_for_the_fewest_requests() -> None:
    def cost(pages: int, orders: tuple[Unsettled, ...], size: int) -> int:
        """Each order below the pages read by its id, for want of a state."""
        return pages + sum(order.position > pages * size for order in orders)

    orders = tuple(Unsettled(str(n), None, n, n) for n in (*range(1, 9), 14, 15, 16, 90))
    best = pages_to_read(orders, 5)
    assert cost(best, orders, 5) == min(cost(pages, orders, 5) for pages in range(1, 21))
    assert pages_to_read(orders, 5, read=4) == 4
    assert pages_to_read([], 5, read=3) == 3
