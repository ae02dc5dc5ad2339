"""States and ids as people type them: in upper case, with spaces, or wrong."""

from __future__ import annotations

from typing import Any

import pytest
from support import Workspace, true_orders

from sources.simulator import SimulatedSpace


def in_state(space: SimulatedSpace, state: str) -> list[dict[str, Any]]:
    return [row for row in true_orders(space) if row["state"] == state]


@pytest.mark.parametrize("state", ["PROCESSED", " Processed ", "processed"])
def test_a_state_in_any_case(space: SimulatedSpace, any_workspace: Workspace, state: str) -> None:
    stats = any_workspace.run(space, order_state=state).stats
    assert stats.counts()["orders_loaded"] > 0
    assert any_workspace.orders() == in_state(space, "processed")


def test_a_state_that_is_not_known_is_said(space: SimulatedSpace, workspace: Workspace) -> None:
    done = workspace.command("run", "--state", "pendng", space=space)
    assert done.returncode == 0
    assert "'pendng'" in done.stderr
    assert "pending, processing, processed, failed" in done.stderr
    assert (
        "none of the states"
        not in workspace.command("run", "--state", "PENDING", space=space).stderr
    )


def test_ids_in_upper_case_and_with_spaces(space: SimulatedSpace, any_workspace: Workspace) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    campaign_id = campaign["id"]
    assert campaign_id != campaign_id.upper()
    result = any_workspace.run(space, campaign_ids=[f" {campaign_id.upper()} "])
    assert result.stats.complete
    expected = [row for row in true_orders(space) if row["campaign_id"] == campaign_id]
    assert any_workspace.orders() == expected
    result = any_workspace.run(space, brand_ids=[f"{brand_id.upper()} "])
    assert result.stats.complete
    assert any_workspace.orders() == [r for r in true_orders(space) if r["brand_id"] == brand_id]
    result = any_workspace.run(
        space, brand_ids=[brand_id.upper()], campaign_ids=[campaign_id.upper(), campaign_id]
    )
    assert result.stats.complete


@pytest.mark.parametrize("option", ["--campaign", "--brand"])
def test_an_id_that_is_not_found_is_told_as_it_was_given(
    space: SimulatedSpace, workspace: Workspace, option: str
) -> None:
    done = workspace.command("run", option, "No-Such-ID", space=space)
    assert done.returncode == 3
    assert "No-Such-ID" in done.stdout


@pytest.mark.usefixtures("with_reports")
def test_reports_of_one_campaign(space: SimulatedSpace, any_workspace: Workspace) -> None:
    any_workspace.run(space)
    campaign_id = space.world.truth_campaigns()[0][1]["id"]
    report = ("report", "order_processing", "--format", "csv", "--campaign")
    shown = any_workspace.command(*report, f" {campaign_id.upper()}")
    assert shown.returncode == 0, shown.stderr
    assert len(shown.stdout.splitlines()) == 13
    nothing = any_workspace.command(*report, "No-Such-ID")
    assert nothing.returncode == 2
    assert "No-Such-ID" in nothing.stderr
