"""Times that a wrong clock has written are set right by the next run that knows better."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support import START, Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

HOUR = 3600
TIMES = {
    "orders": "read_at",
    "order_changes": "seen_at",
    "campaigns": "read_at",
    "campaign_changes": "seen_at",
    "brands": "read_at",
    "runs": "read_at",
}


@pytest.mark.proof
def test_a_run_whose_every_answer_is_dated_ahead(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    space.clock.advance(HOUR)
    space.world.add_order(space.world.truth_campaigns()[0][1]["id"])
    ahead = {"Date": "Wed, 05 Mar 2036 12:00:00 GMT"}
    space.faults.add(Fault("", "headers", headers=ahead))
    workspace.run(space, full=True)
    assert max(_times(workspace)).year == 2036
    space.faults.clear()
    for _ in range(2):
        space.clock.advance(HOUR)
        open_now = next(o for *_, o in space.world.truth_orders() if not o["processed_at"])
        space.world.update_order(open_now["id"], state="reviewing")
        workspace.run(space)
        assert workspace.orders() == true_orders(space)
        soon = space.clock.now() + timedelta(hours=1)
        assert all(START <= moment < soon for moment in _times(workspace))


def _times(workspace: Workspace) -> list[object]:
    found = []
    for table, column in TIMES.items():
        rows = workspace.rows(f"SELECT {column} AS told_at FROM {table}")
        found += [row["told_at"] for row in rows if row["told_at"] is not None]
    return found
