"""What was dropped is made again, and filled again."""

from __future__ import annotations

import pytest
from support import Workspace, true_orders

from sources.simulator import SimulatedSpace


@pytest.mark.parametrize(
    "table",
    ["orders", "order_changes", "campaigns", "runs", "_dlt_loads", "_dlt_pipeline_state",
     "_dlt_version"],
)  # fmt: skip
def test_a_table(space: SimulatedSpace, workspace: Workspace, table: str) -> None:
    workspace.run(space)
    workspace.drop(table)
    space.clock.advance(3600)
    assert workspace.run(space).stats.complete
    assert workspace.orders() == true_orders(space)
    assert len(workspace.table("campaigns")) == 4
    # the table is there; what changed before it was dropped is not known any more
    assert workspace.rows(f"SELECT * FROM {table}") or table == "order_changes"


@pytest.mark.proof
def test_a_column(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    workspace.drop_column("orders", "processed_at")
    workspace.run(space, full=True)
    assert workspace.orders() == true_orders(space)


def test_schemas_of_others_in_the_dataset_stay(space: SimulatedSpace, workspace: Workspace) -> None:
    """Another pipeline of the user's may load into the same dataset."""
    workspace.run(space)
    versions = workspace.qualified("_dlt_version")
    workspace.execute(
        f"INSERT INTO {versions} SELECT version, engine_version, inserted_at, 'theirs',"
        f" 'another hash', schema FROM {versions}"
    )
    workspace.drop("campaigns")
    workspace.run(space, full=True)
    theirs = workspace.rows("SELECT * FROM _dlt_version WHERE schema_name = 'theirs'")
    assert len(theirs) == 1
