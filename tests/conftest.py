"""Fixtures: a simulated space over real HTTP, and a folder as a user would have one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer, running_server
from support import Workspace

from simulator import Clock, SimulatedSpace

START = datetime(2026, 3, 2, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture
def open_space() -> Iterator[Callable[..., SimulatedSpace]]:
    """Starts spaces of two brands with two campaigns of 12 orders, on a clock that stands still."""
    spaces: list[SimulatedSpace] = []

    def start(**settings: Any) -> SimulatedSpace:
        usual = {"brands": 2, "campaigns": 2, "orders": 12, "clock": Clock(START, speed=0)}
        space = SimulatedSpace(**usual | settings)
        spaces.append(space)
        space.start()
        return space

    yield start
    for space in spaces:
        space.stop()


@pytest.fixture
def space(open_space: Callable[..., SimulatedSpace]) -> SimulatedSpace:
    return open_space()


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One server for all tests of this process, started when the first one asks."""
    with running_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A user's folder, for runs in this process and in others, with DuckDB."""
    return Workspace(tmp_path).prepared(monkeypatch)


@pytest.fixture
def postgres_workspace(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The same with PostgreSQL."""
    return Workspace(tmp_path, postgres.new_database()).prepared(monkeypatch)


@pytest.fixture(params=["duckdb", "postgres"])
def any_workspace(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The same on each destination that every promise is kept on."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    return Workspace(tmp_path, url).prepared(monkeypatch)
