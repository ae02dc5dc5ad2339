"""Number assignments, campaigns and brands keep the same promises as orders."""

from __future__ import annotations

import pytest
from support import Workspace, true_numbers, true_orders

from sources.simulator import SimulatedSpace

HOUR = 3600


@pytest.mark.proof
def test_changes_and_what_vanished_and_returned(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    changed, gone, *_ = (record["id"] for _, _, record in space.world.truth_numbers())
    first, *_, last = (record["id"] for _, record in space.world.truth_campaigns())

    def run(mode: str) -> dict[str, int]:
        space.clock.advance(HOUR)
        return workspace.run(space, number_assignments=mode).stats.counts()

    run("true")
    assert workspace.alive("number_assignments") == true_numbers(space)
    assert run("true")["numbers_loaded"] == 0
    space.world.update_number(changed, state="failed")
    space.world.remove_number(gone)
    space.world.update_campaign(first, state="inactive")
    space.world.remove_campaign(last)
    run("true")
    missing = [r["id"] for r in workspace.table("number_assignments") if r["missing_since"]]
    assert missing == [gone]
    assert run("auto")["numbers_deleted"] == 1
    assert workspace.alive("number_assignments") == true_numbers(space)
    assert workspace.orders() == true_orders(space)
    assert {row["id"] for row in workspace.alive("campaigns")} == campaigns(space)
    assert seen(workspace, "campaign", first)[-1] == ("inactive", False)
    assert seen(workspace, "campaign", last)[-1][1]

    space.world.restore_number(gone)
    space.world.restore_campaign(last)
    run("true")
    assert workspace.alive("number_assignments") == true_numbers(space)
    assert {row["id"] for row in workspace.alive("campaigns")} == campaigns(space)
    assert workspace.orders() == true_orders(space)
    # a return has no row of its own, since nothing of the record has changed
    assert [deleted for _, deleted in seen(workspace, "campaign", last)] == [False, True]
    assert [s for s, _ in seen(workspace, "number_assignment", changed)][-1] == "failed"
    assert len(workspace.table("brand_changes")) == len(space.world.truth_brands())


def campaigns(space: SimulatedSpace) -> set[str]:
    return {record["id"] for _, record in space.world.truth_campaigns()}


def seen(workspace: Workspace, kind: str, record_id: str) -> list[tuple[str, bool]]:
    """The states in a record's history, and whether it was deleted, in order."""
    rows = [r for r in workspace.table(f"{kind}_changes") if r[f"{kind}_id"] == record_id]
    rows.sort(key=lambda row: (row["seen_at"], row["updated_at"]))
    return [(row["state"], row["deleted_at"] is not None) for row in rows]
