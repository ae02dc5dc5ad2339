"""An older version never replaces a newer one, and an id is there once."""

from __future__ import annotations

import pytest
from support import Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

HOUR, DAY = 3600, 24 * 3600
VERSIONED = ("orders", "number_assignments", "campaigns", "brands")


@pytest.mark.proof
def test_a_package_left_on_another_machine(
    space: SimulatedSpace,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = workspace.folder / "other machine"
    monkeypatch.setenv("SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS", "true")
    number = space.world.truth_numbers()[0][2]["id"]
    campaign = space.world.truth_campaigns()[0][1]["id"]
    workspace.run(space)
    for state in ("inactive", "pending"):
        space.world.update_number(number, state=state)
        space.world.update_campaign(campaign, state=state)
        space.clock.advance(6 * HOUR)
        if state == "inactive":
            workspace.leave_package(space, other, monkeypatch)
    workspace.run(space)
    now = {name: workspace.table(name) for name in VERSIONED}
    space.faults.add(Fault("", "respond", status=500))
    monkeypatch.setenv("DLT_DATA_DIR", str(other))
    with pytest.raises(Exception, match="500"):
        workspace.run(space)  # loads what was left, and can read nothing
    assert {name: workspace.table(name) for name in VERSIONED} == now
    space.faults.clear()
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
    space: SimulatedSpace,
    workspace: Workspace,
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
    workspace.run(space, campaign_ids=[campaign_id])
    (row,) = workspace.orders()
    assert row["state"] == "processed"


@pytest.mark.proof
def test_an_id_in_two_lists_of_one_load(space: SimulatedSpace, workspace: Workspace) -> None:
    """A list that serves what another has, too; whichever is read later, it is there once."""
    _, first, order = space.world.truth_orders()[0]
    second = next(c["id"] for _, c in space.world.truth_campaigns() if c["id"] != first)
    body = {"links": {}, "data": [order]}
    space.faults.add(Fault(f"{second}/orders", "respond", times=1, status=200, body=body))
    workspace.run(space, campaign_ids=[first, second])
    found = [row for row in workspace.table("orders") if row["id"] == order["id"]]
    assert [row["state"] for row in found] == [order["state"]]
    workspace.run(space, full=True)
    assert workspace.orders() == true_orders(space)


def test_a_stale_answer_does_not_undo_a_newer_one(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    _, campaign_id, stale = space.world.truth_orders()[0]
    workspace.run(space)
    space.clock.advance(HOUR)
    space.world.update_order(stale["id"], state="reviewing")
    workspace.run(space)
    body = {"links": {}, "data": [stale]}
    space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=200, body=body))
    space.clock.advance(DAY)
    workspace.run(space, full=True)
    row = next(row for row in workspace.orders() if row["id"] == stale["id"])
    assert row["state"] == "reviewing"


def test_a_timestamp_in_the_future_gives_way(space: SimulatedSpace, workspace: Workspace) -> None:
    order_id = space.world.truth_orders()[0][2]["id"]
    space.world.update_order(order_id, state="x", updated_at="2199-01-01T00:00:00Z")
    workspace.run(space)
    space.clock.advance(HOUR)
    space.world.update_order(order_id, state="processed")
    workspace.run(space, full=True)
    assert workspace.orders() == true_orders(space)
