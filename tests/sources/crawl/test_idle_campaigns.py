"""Campaigns in which nothing happens, read less often where users ask for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import Workspace, true_orders

from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.depth import is_idle
from sources.signalwire.incremental.existing import KnownCampaign, Unsettled
from sources.simulator import SimulatedSpace

HOUR, DAY = 3_600, 24 * 3_600
OpenSpace = Callable[..., SimulatedSpace]
WEEKLY = {"recheck_idle_every": 7.0 * DAY}


@pytest.mark.parametrize(
    ("idle", "case"),
    [
        (True, {}),
        (True, {"known": KnownCampaign(), "cursor": Cursor(0, "brand")}),
        (False, {"cursor": None}),
        (False, {"known": None}),
        (False, {"changed_at": None}),
        (False, {"changed_at": 901}),
        (False, {"cursor": Cursor(901, "brand")}),
        (False, {"cursor": Cursor(0, "brand", created_watermark=901)}),
        (False, {"known": KnownCampaign(2, (Unsettled("order", "pending"),))}),
        # marked as deleted, and listed again
        (False, {"known": KnownCampaign()}),
    ],
)
def test_when_nothing_is_under_way(idle: bool, case: dict[str, Any]) -> None:
    given: dict[str, Any] = {
        "cursor": Cursor(900, "brand", 900),
        "known": KnownCampaign(2),
        "changed_at": 900,
    }
    assert is_idle(**given | case, now=1_000, after=100) is idle


@pytest.fixture
def quiet(open_space: OpenSpace, workspace: Workspace) -> SimulatedSpace:
    """A loaded space of four campaigns, in which nothing has happened for half a year."""
    space = open_space(brands=2, campaigns=2, orders=5, numbers=0, arrivals_per_day=0)
    for _, _, record in space.world.truth_orders():
        space.world.update_order(record["id"], state="processed")
    workspace.run(space)
    space.clock.advance(180 * DAY)
    workspace.run(space, **WEEKLY)
    space.clock.advance(HOUR)
    space.journal.clear()
    return space


def counts(workspace: Workspace, space: SimulatedSpace, **settings: Any) -> dict[str, int]:
    space.journal.clear()
    return workspace.run(space, **settings).stats.counts()


def test_they_are_read_at_every_run_unless_asked_otherwise(
    quiet: SimulatedSpace, workspace: Workspace
) -> None:
    assert counts(workspace, quiet)["campaigns_idle"] == 0
    assert quiet.journal.count("/orders") == 4


def test_they_are_left_out_for_so_long(quiet: SimulatedSpace, workspace: Workspace) -> None:
    quiet.world.update_order(quiet.world.truth_orders()[0][2]["id"], state="failed")
    found = counts(workspace, quiet, **WEEKLY)
    assert (found["campaigns_idle"], found["campaigns_walked"], found["orders_loaded"]) == (4, 0, 0)
    assert quiet.journal.count("/orders") == 0
    (run, *_) = sorted(workspace.table("runs"), key=lambda row: row["started_at"], reverse=True)
    assert run["campaigns_idle"] == 4
    quiet.clock.advance(7 * DAY)
    found = counts(workspace, quiet, **WEEKLY)
    assert (found["campaigns_idle"], found["orders_loaded"]) == (0, 1)
    assert workspace.orders() == true_orders(quiet)
    # the campaign where something happened is read at every run again
    quiet.clock.advance(HOUR)
    assert counts(workspace, quiet, **WEEKLY)["campaigns_walked"] == 1


def test_one_whose_own_record_changes_is_read(quiet: SimulatedSpace, workspace: Workspace) -> None:
    campaign = quiet.world.truth_campaigns()[0][1]["id"]
    quiet.world.update_campaign(campaign, name="Renamed")
    quiet.world.add_order(campaign, state="pending")
    found = counts(workspace, quiet, **WEEKLY)
    assert (found["campaigns_idle"], found["orders_loaded"]) == (3, 1)
    # and further on, as an order is open
    quiet.clock.advance(60 * DAY)
    counts(workspace, quiet, **WEEKLY)
    quiet.clock.advance(HOUR)
    assert counts(workspace, quiet, **WEEKLY)["campaigns_idle"] == 3


def test_a_full_run_reads_all(quiet: SimulatedSpace, workspace: Workspace) -> None:
    assert counts(workspace, quiet, full=True, **WEEKLY)["campaigns_idle"] == 0
    assert quiet.journal.count("/orders") == 4


def test_a_campaign_that_another_brand_has_now_is_read(
    quiet: SimulatedSpace, workspace: Workspace
) -> None:
    # the last brand's campaign is listed by the first brand too, to which it belongs then
    campaigns = sorted(quiet.world.truth_campaigns(), key=lambda found: found[0])
    (first, _), (_, moved) = campaigns[0], campaigns[-1]
    quiet.world.insert_raw_campaign(first, dict(moved))
    found = counts(workspace, quiet, **WEEKLY)
    assert found["campaigns_walked"] == 1
    brands = {row["brand_id"] for row in workspace.orders() if row["campaign_id"] == moved["id"]}
    assert brands == {first}
