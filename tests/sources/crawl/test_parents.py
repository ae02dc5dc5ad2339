"""Brands and campaigns: what changed of their state is kept, and what is gone is marked."""

from __future__ import annotations

from typing import Any

import pytest
from support import Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

HOUR = 3600


def changes(workspace: Workspace, kind: str, record_id: str) -> list[tuple[str, bool]]:
    """The states that a brand or campaign was seen in, and whether deleted, in order."""
    rows = [row for row in workspace.table(f"{kind}_changes") if row[f"{kind}_id"] == record_id]
    rows.sort(key=lambda row: row["seen_at"])
    return [(row["state"], row["deleted_at"] is not None) for row in rows]


def the(workspace: Workspace, table: str, record_id: str) -> dict[str, Any]:
    return next(row for row in workspace.table(table) if row["id"] == record_id)


@pytest.mark.proof
def test_only_changes_of_state_are_kept(space: SimulatedSpace, any_workspace: Workspace) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    expected = {"brand": [], "campaign": []}  # type: dict[str, list[tuple[str, bool]]]
    for state in ("pending", "active", "active"):
        space.world.update_brand(brand_id, state=state, name=f"is {state}")
        space.world.update_campaign(campaign["id"], state=state, description=f"is {state}")
        any_workspace.run(space)
        space.clock.advance(HOUR)
        # read again, with what says nothing of the state changed
        space.world.update_brand(brand_id, company_website=f"https://{state}.example")
        space.world.update_campaign(campaign["id"], sample1=state)
        any_workspace.run(space)
        space.clock.advance(HOUR)
        for kind in expected:
            if expected[kind][-1:] != [(state, False)]:
                expected[kind].append((state, False))
    assert changes(any_workspace, "brand", brand_id) == expected["brand"]
    assert changes(any_workspace, "campaign", campaign["id"]) == expected["campaign"]


@pytest.mark.proof
def test_a_campaign_that_is_gone_is_marked_and_comes_back(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(space)
    campaign = space.world.truth_campaigns()[0][1]
    space.world.remove_campaign(campaign["id"])
    space.clock.advance(HOUR)
    any_workspace.run(space)
    assert the(any_workspace, "campaigns", campaign["id"])["deleted_at"] is not None
    assert any_workspace.orders() == true_orders(space)
    asked = space.journal.requests
    space.clock.advance(HOUR)
    any_workspace.run(space)
    listed = space.journal.requests - asked
    space.world.restore_campaign(campaign["id"])
    space.clock.advance(HOUR)
    any_workspace.run(space)
    # it is not asked for while it is gone
    assert space.journal.requests - asked - listed == listed + 1
    assert the(any_workspace, "campaigns", campaign["id"])["deleted_at"] is None
    assert any_workspace.orders() == true_orders(space)
    # its return has no row of its own: nothing of it has changed
    seen = [(campaign["state"], False), (campaign["state"], True)]
    assert changes(any_workspace, "campaign", campaign["id"]) == seen


@pytest.mark.parametrize("answer", [404, 200, 500])
def test_a_brand_that_no_list_has_is_asked_for(
    space: SimulatedSpace, workspace: Workspace, answer: int
) -> None:
    workspace.run(space)
    brand_id = space.world.truth_brands()[0]["id"]
    rest = [brand for brand in space.world.truth_brands() if brand["id"] != brand_id]
    space.faults.add(
        Fault(r"registry/beta/brands\?", "respond", status=200, body={"links": {}, "data": rest})
    )
    if answer != 200:
        space.faults.add(Fault(f"/brands/{brand_id}$", "respond", status=answer))
    space.clock.advance(HOUR)
    result = workspace.run(space)
    assert result.stats.complete == (answer != 500)
    deleted = the(workspace, "brands", brand_id)["deleted_at"]
    assert (deleted is not None) == (answer == 404)
    # its campaigns are there, and are read on
    assert workspace.orders() == true_orders(space)
    assert len(workspace.alive("campaigns")) == len(space.world.truth_campaigns())
    space.faults.clear()
    space.clock.advance(HOUR)
    workspace.run(space)
    assert the(workspace, "brands", brand_id)["deleted_at"] is None


def test_a_narrowed_run_calls_nothing_gone(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    (brand_id, campaign), *_, (_, gone) = space.world.truth_campaigns()
    space.world.remove_campaign(gone["id"])
    for settings in ({"brand_ids": [brand_id]}, {"campaign_ids": [campaign["id"]]}):
        space.clock.advance(HOUR)
        workspace.run(space, **settings)
        assert the(workspace, "campaigns", gone["id"])["deleted_at"] is None


def test_a_list_that_failed_calls_nothing_gone(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    space.faults.add(Fault(r"brands/.*/campaigns", "respond", status=404, times=1))
    space.clock.advance(HOUR)
    space.journal.clear()
    assert not workspace.run(space).stats.complete
    # nor is any of them asked for by its id
    assert not [e.path for e in space.journal.entries() if e.path.split("/")[-2] == "campaigns"]
    assert len(workspace.alive("campaigns")) == len(space.world.truth_campaigns())
