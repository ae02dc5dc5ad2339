"""What the tests of changes look at: requests for orders, and orders that are gone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sources.simulator import SimulatedSpace
from support.workspace import Workspace


def requests_for(space: SimulatedSpace, run: Callable[[], Any]) -> list[str]:
    """The API requests that a run makes for orders."""
    space.journal.clear()
    run()
    return [e.path_qs for e in space.journal.entries() if "/orders" in e.path]


def deleted(workspace: Workspace) -> set[str]:
    rows = workspace.table("orders")
    return {row["id"] for row in rows if row["deleted_at"] is not None}


def settle_all(space: SimulatedSpace) -> list[str]:
    """Makes every order processed; their ids, the newest first."""
    ids = [record["id"] for _, _, record in space.world.truth_orders()]
    for order_id in ids:
        space.world.update_order(order_id, state="processed")
    return ids
