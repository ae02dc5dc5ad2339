"""A database and a working folder of the previous version go on with this one.

The fixtures are its own files (`support/make_upgrade_fixtures.py`): a DuckDB file and a PostgreSQL
dump after two runs, and the working folder, also that of a run that was interrupted. That version
cannot be started here, so the way back is held by what it reads: its state and its columns.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support import START, Workspace, true_orders
from support.postgres_server import PostgresServer
from support.upgrade import (
    FIXTURES,
    SCALE,
    afterwards,
    beginning,
    changes,
    interrupted,
    restore_duckdb,
    restore_working_folder,
    restored_postgres,
    working_folder,
)

from sources.signalwire.errors import ConfigurationError
from sources.simulator import Clock, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
TIME_TYPE = "TIMESTAMP WITH TIME ZONE"
TABLES = ("brands", "campaigns", "orders", "order_changes", "runs", "rejected")


@pytest.fixture(params=["duckdb", "postgres"])
def old(
    request: pytest.FixtureRequest,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """The database of the previous version, without its working folder."""
    if request.param == "postgres":
        return Workspace(tmp_path, restored_postgres(postgres)).prepared(monkeypatch)
    workspace = Workspace(tmp_path).prepared(monkeypatch)
    restore_duckdb(workspace.database)
    return workspace


@pytest.fixture
def space(open_space: OpenSpace) -> SimulatedSpace:
    """The space as it was when the previous version made its last complete run."""
    space = open_space(**SCALE, clock=Clock(START, speed=0))
    beginning(space)
    changes(space)
    return space


def put_working_folder(workspace: Workspace, name: str) -> None:
    location = workspace.postgres_url or str(workspace.database)
    folder = working_folder(workspace.folder / "data", workspace.destination, location)
    restore_working_folder(f"{workspace.destination}-{name}", folder)


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    """The rows that the version before has loaded; tables and columns that it lacks are empty."""
    rows = {name: workspace.table(name) for name in TABLES if there(workspace, name)}
    del rows["runs"]
    return {name: [drop_empty(row) for row in found] for name, found in rows.items() if found}


def there(workspace: Workspace, name: str) -> bool:
    sql = f"SELECT 1 FROM information_schema.tables WHERE table_name = '{name}'"
    return bool(workspace.rows(sql))


def drop_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {column: value for column, value in row.items() if value is not None}


def test_the_fixtures_are_of_this_space(old: Workspace, space: SimulatedSpace) -> None:
    rows = old.orders()
    assert rows == true_orders(space)
    states = {"pending", "processing", "processed", "failed", "reviewing"}
    assert {row["state"] for row in rows} == states
    assert len(old.rows("SELECT id FROM orders WHERE deleted_at IS NOT NULL")) == 1


@pytest.mark.parametrize("folder", ["idle", "lost"])
def test_nothing_is_loaded_again(folder: str, old: Workspace, space: SimulatedSpace) -> None:
    before = snapshot(old)
    if folder == "idle":
        put_working_folder(old, "idle")
    result = old.run(space)
    counts = result.stats.counts()
    then = json.loads((FIXTURES / f"{old.destination}-quiet.json").read_text())
    assert result.stats.mode == "incremental"
    assert counts["orders_loaded"] == then["orders_loaded"] == 0
    assert counts["requests"] <= then["requests"]
    assert counts["orders_seen"] <= then["orders_seen"]
    assert snapshot(old) == before


def test_an_interrupted_load_is_finished(old: Workspace, space: SimulatedSpace) -> None:
    put_working_folder(old, "pending")
    interrupted(space)
    # what was read is in the package: the API is not asked for it again
    result = old.run(space)
    assert result.stats.counts()["orders_loaded"] == 0
    assert old.orders() == true_orders(space)


@pytest.mark.proof
def test_a_users_column_named_like_one_that_is_new_is_kept(
    old: Workspace, space: SimulatedSpace
) -> None:
    """`deleted_at` of brands is new; a column that a killed run has made is empty, and ours."""
    brands = old.qualified("brands")
    old.execute(f"ALTER TABLE {brands} ADD deleted_at {TIME_TYPE}")
    old.execute(f"UPDATE {brands} SET deleted_at = '2026-01-01 00:00:00+00'")
    old.execute(f"ALTER TABLE {old.qualified('campaigns')} ADD deleted_at {TIME_TYPE}")
    space.clock.advance(60)
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="RENAME COLUMN deleted_at TO my_deleted_at"):
            old.run(space)
    assert all(row["deleted_at"] for row in old.table("brands"))
    old.execute(f"ALTER TABLE {brands} RENAME COLUMN deleted_at TO my_deleted_at")
    old.run(space)
    assert not any(row["deleted_at"] for row in old.table("brands"))
    assert all(row["my_deleted_at"] for row in old.table("brands"))
    assert old.orders() == true_orders(space)


@pytest.mark.parametrize("folder", ["idle", "pending", "lost"])
def test_changes_are_loaded(folder: str, old: Workspace, space: SimulatedSpace) -> None:
    if folder != "lost":
        put_working_folder(old, folder)
    before = {row["id"] for row in old.table("order_changes")}
    interrupted(space)
    afterwards(space)
    old.run(space)
    assert old.orders() == true_orders(space)
    assert before < {row["id"] for row in old.table("order_changes")}
    # and a full walk finds nothing that the runs passed over
    space.clock.advance(1)
    assert old.run(space, full=True).stats.counts()["orders_loaded"] == 0
    assert old.orders() == true_orders(space)
    quiet = old.run(space).stats
    assert (quiet.mode, quiet.counts()["orders_loaded"]) == ("incremental", 0)


def test_the_version_before_can_go_on(old: Workspace, space: SimulatedSpace) -> None:
    """It reads the same columns; new ones may be empty.

    Cursors of another version are none to it: it reads every campaign, and loads what changed.
    """
    columns = columns_of(old)
    interrupted(space)
    afterwards(space)
    old.run(space)
    state = state_of(old)
    assert {name: type(value) for name, value in state.items()} == {
        "project": str,
        "version": int,
        "cursors": str,
    }
    assert state["version"] != 1
    now = columns_of(old)
    assert {name: now.get(name) for name in columns} == columns
    tables = {table for table, _ in columns}
    new = {name: now[name] for name in now.keys() - columns.keys() if name[0] in tables}
    assert all(nullable for _, nullable in new.values())


def columns_of(workspace: Workspace) -> dict[tuple[str, str], tuple[str, bool]]:
    """Type, and whether it may be empty, of each column by the names of its table and itself."""
    rows = workspace.rows(
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'signalwire'"
    )
    return {
        (row["table_name"], row["column_name"]): (row["data_type"], row["is_nullable"] == "YES")
        for row in rows
    }


def state_of(workspace: Workspace) -> Any:
    """The newest state of the source, as dlt keeps it in the destination."""
    rows = workspace.rows(
        "SELECT state FROM _dlt_pipeline_state WHERE pipeline_name = 'signalwire_orders'"
        " ORDER BY created_at DESC LIMIT 1"
    )
    state = json.loads(zlib.decompress(base64.b64decode(rows[0]["state"])))
    return state["sources"]["signalwire"]
