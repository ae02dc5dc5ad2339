"""Columns that users added to a table: neither read nor written, kept where a row is kept."""

from __future__ import annotations

from typing import Any

import pytest
from support import Workspace, true_orders

from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

TABLES = ("orders", "campaigns", "brands")


@pytest.mark.parametrize(
    ("kind", "value"), [("boolean", True), ("text", "mine"), ("integer", 7)], ids=lambda v: str(v)
)
def test_are_neither_read_nor_written(
    space: SimulatedSpace, workspace: Workspace, kind: str, value: Any
) -> None:
    # a field of the API's own that came later is compared and kept as ever
    campaign_id = space.world.truth_campaigns()[0][1]["id"]
    space.world.add_order(campaign_id, carrier_note="late")
    workspace.run(space)
    literal = f"'{value}'" if isinstance(value, str) else str(value)
    for table in TABLES:
        workspace.execute(f"ALTER TABLE {workspace.qualified(table)} ADD reviewed {kind}")
        workspace.execute(f"UPDATE {workspace.qualified(table)} SET reviewed = {literal}")
    result = workspace.run(space, full=True)
    assert result.stats.counts()["orders_loaded"] == 0
    for table in TABLES:
        rows = workspace.table(table)
        assert {row["reviewed"] for row in rows} == {value}, table
    assert [row["carrier_note"] for row in workspace.table("orders") if row["carrier_note"]] == [
        "late"
    ]


@pytest.mark.proof
def test_keep_their_values_where_only_others_change(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    workspace.execute(f"ALTER TABLE {workspace.qualified('orders')} ADD reviewed boolean")
    workspace.execute(f"UPDATE {workspace.qualified('orders')} SET reviewed = true")
    moved = true_orders(space)[0]["id"]
    space.clock.advance(3600)
    space.world.update_order(moved, state="failed", processed_at=None)
    workspace.run(space, full=True)
    reviewed = {row["id"]: row["reviewed"] for row in workspace.table("orders")}
    del reviewed[moved]
    assert set(reviewed.values()) <= {True, None}
    assert list(reviewed.values()).count(None) < len(reviewed) / 2


@pytest.mark.parametrize("kind", ["boolean", "text"])
@pytest.mark.proof
def test_are_kept_when_the_api_sends_a_field_of_their_name(
    space: SimulatedSpace, workspace: Workspace, kind: str
) -> None:
    workspace.run(space)
    orders = workspace.qualified("orders")
    workspace.execute(f"ALTER TABLE {orders} ADD reviewed {kind}")
    workspace.execute(
        f"UPDATE {orders} SET reviewed = {'true' if kind == 'boolean' else repr('mine')}"
    )
    space.clock.advance(60)
    campaign_id = space.world.truth_campaigns()[0][1]["id"]
    space.world.add_order(campaign_id, reviewed="theirs")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="RENAME COLUMN reviewed TO my_reviewed"):
            workspace.run(space)
    workspace.execute(f"ALTER TABLE {orders} RENAME COLUMN reviewed TO my_reviewed")
    workspace.run(space)
    rows = workspace.table("orders")
    assert [row["reviewed"] for row in rows if row["reviewed"] is not None] == ["theirs"]
    assert sum(row["my_reviewed"] is not None for row in rows) == len(rows) - 1
