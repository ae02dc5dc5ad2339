"""The suite that every supported destination passes whole: one entry here, and it runs there too.

Tests use the fixture `workspace`, which is a user's folder with that destination. What a
destination does not claim (`Destination.capabilities`), a test sees refused in a sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support import SqliteWorkspace, Workspace

Make = Callable[[Path, pytest.FixtureRequest], Workspace]
WORKSPACES: dict[str, Make] = {
    "duckdb": lambda folder, _: Workspace(folder),
    "postgres": lambda folder, request: Workspace(
        folder, request.getfixturevalue("postgres").new_database()
    ),
    "sqlite": lambda folder, _: SqliteWorkspace(folder),
}


@pytest.fixture(params=WORKSPACES)
def workspace(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """A user's folder with one of the destinations, for runs in this process and in others."""
    return WORKSPACES[request.param](tmp_path, request).prepared(monkeypatch)
