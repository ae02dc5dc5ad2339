"""A campaign in the lists of several brands: one answer, whichever list is read first."""

from __future__ import annotations

from typing import Any

import pytest
from support import Workspace

from sources.simulator import Fault, SimulatedSpace

CHECK = "campaigns listed under several brands"


@pytest.fixture
def contested(space: SimulatedSpace) -> tuple[str, str, str]:
    """A campaign's id, its brand's, and that of another brand which lists it too."""
    (brand_id, campaign), *others = space.world.truth_campaigns()
    other = next(brand for brand, _ in others if brand != brand_id)
    space.world.insert_raw_campaign(other, campaign)
    return campaign["id"], brand_id, other


def delay(space: SimulatedSpace, brand_id: str) -> None:
    space.faults.clear()
    space.faults.add(Fault(f"brands/{brand_id}/campaigns", "delay", seconds=0.2))


def brands_of(workspace: Workspace, campaign_id: str) -> tuple[Any, set[Any]]:
    (campaign,) = (row for row in workspace.table("campaigns") if row["id"] == campaign_id)
    orders = (row for row in workspace.table("orders") if row["campaign_id"] == campaign_id)
    return campaign["brand_id"], {row["brand_id"] for row in orders}


@pytest.mark.proof
@pytest.mark.parametrize("late_one", [1, 2])
def test_belongs_to_one_brand_whichever_list_comes_first(
    space: SimulatedSpace,
    any_workspace: Workspace,
    contested: tuple[str, str, str],
    late_one: int,
) -> None:
    campaign_id, owner = contested[0], min(contested[1:])
    for late in (contested[late_one], contested[3 - late_one], contested[late_one]):
        delay(space, late)
        any_workspace.run(space)
        assert brands_of(any_workspace, campaign_id) == (owner, {owner})
    # once it has settled, it is not loaded again, nor by a full walk
    assert any_workspace.run(space, full=True).stats.counts()["orders_loaded"] == 0
    delay(space, owner)
    assert any_workspace.run(space).stats.counts()["orders_loaded"] == 0


@pytest.mark.usefixtures("with_reports")
def test_is_counted_in_data_quality(
    space: SimulatedSpace, any_workspace: Workspace, contested: tuple[str, str, str]
) -> None:
    any_workspace.run(space)
    (found,) = any_workspace.rows(
        f"SELECT * FROM signalwire_reports.data_quality WHERE check_name = '{CHECK}'"
    )
    assert (found["count"], found["severity"]) == (1, "warning")
    (rejected,) = any_workspace.table("rejected")
    assert rejected["record_id"] == contested[0]
    assert rejected["brand_id"] == max(contested[1:])
    assert min(contested[1:]) in rejected["reason"]


@pytest.mark.parametrize("asked", ["brand_ids", "campaign_ids"])
def test_a_narrowed_run_does_not_move_it(
    space: SimulatedSpace, workspace: Workspace, contested: tuple[str, str, str], asked: str
) -> None:
    campaign_id, owner = contested[0], min(contested[1:])
    workspace.run(space)
    delay(space, owner)
    chosen = [max(contested[1:])] if asked == "brand_ids" else [campaign_id]
    result = workspace.run(space, **{asked: chosen})
    assert result.stats.counts()["orders_loaded"] == 0
    assert brands_of(workspace, campaign_id) == (owner, {owner})


@pytest.mark.proof
def test_one_that_moves_to_another_brand_moves_with_its_orders(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    campaigns = space.world.truth_campaigns()
    for brand_id, campaign in (campaigns[0], campaigns[-1]):
        other = next(brand for brand, _ in campaigns if brand != brand_id)
        space.faults.add(
            Fault(f"brands/{brand_id}/campaigns", "respond", status=200, times=1,
                  body={"links": {}, "data": []})
        )  # fmt: skip
        space.world.insert_raw_campaign(other, campaign)
        workspace.run(space)
        assert brands_of(workspace, campaign["id"]) == (other, {other})
