"""The suite that every supported destination passes whole: one entry here, and it runs there too.

Tests use the fixture `workspace`, which is a user's folder with that destination. What a
destination does not claim (`Destination.capabilities`), a test sees refused in a sentence.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import (
    DeltaWorkspace,
    DuckLakeWorkspace,
    MariaDBWorkspace,
    SnowflakeWorkspace,
    SqliteWorkspace,
    Workspace,
)

# those of a server that has to be installed first: CONFORMANCE=mariadb, as in make test-warehouses
OTHERS = os.environ.get("CONFORMANCE")
Make = Callable[[Path, pytest.FixtureRequest], Workspace]
WORKSPACES: dict[str, Make] = {
    "duckdb": lambda folder, _: Workspace(folder),
    "postgres": lambda folder, request: Workspace(
        folder, request.getfixturevalue("postgres").new_database()
    ),
    "sqlite": lambda folder, _: SqliteWorkspace(folder),
    "mariadb": lambda folder, request: MariaDBWorkspace(
        folder, request.getfixturevalue("mariadb").fresh_url()
    ),
    "ducklake": lambda folder, _: DuckLakeWorkspace(folder),
    "ducklake-postgres": lambda folder, request: DuckLakeWorkspace(
        folder, request.getfixturevalue("postgres").new_database()
    ),
    "delta": lambda folder, _: DeltaWorkspace(folder),
    "snowflake": lambda folder, request: SnowflakeWorkspace(
        folder, *request.getfixturevalue("snowflake").new_database()
    ),
}
INSTALLED_FIRST = {"mariadb", "ducklake", "ducklake-postgres", "delta", "snowflake"}


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Any]:
    """One server for all tests of this process, started when the first one asks."""
    from support.mariadb_server import running_mariadb

    with running_mariadb() as server:
        yield server


@pytest.fixture(scope="session")
def snowflake() -> Iterator[Any]:
    """The same, of what runs Snowflake's SQL."""
    from support.snowflake_server import running_snowflake

    with running_snowflake() as server:
        yield server


@pytest.fixture(params=[OTHERS] if OTHERS else sorted(WORKSPACES.keys() - INSTALLED_FIRST))
def workspace(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A user's folder with one of the destinations, for runs in this process and in others."""
    return WORKSPACES[request.param](tmp_path, request).prepared(monkeypatch)
