"""Fixtures: a simulated space over real HTTP, and a folder as a user would have one."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import START, SqliteWorkspace, Workspace

from sources.simulator import Clock, SimulatedSpace

pytest_plugins = ["support.fixtures"]


# what tests use that make runs or start commands
ON_EVERY_DESTINATION = {
    "test_a_first_load_and_changes", "test_a_full_walk_with_orders_that_vanish_and_return",
}  # fmt: skip
WHOLE_RUNS = {"old", "workspace", "postgres_workspace", "any_workspace", "everywhere", "bare"}


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """What is started here can be interrupted, also where a shell started us in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a whole run with many values or destinations the first is quick; the others are proof.

    What matters most of the conformance suite is quick on every destination.
    """
    seen = set()
    for item in items:
        function, _, values = item.nodeid.partition("[")
        if function.rpartition("::")[2] in ON_EVERY_DESTINATION:
            function += re.split(r"[-\]]", values)[0]
        if function in seen:
            item.add_marker(pytest.mark.proof)
        elif WHOLE_RUNS.intersection(getattr(item, "fixturenames", ())):
            seen.add(function)


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


@pytest.fixture
def large(open_space: Callable[..., SimulatedSpace]) -> SimulatedSpace:
    """One campaign of 300 orders that gets no more."""
    return open_space(brands=1, campaigns=1, orders=300, arrivals_per_day=0)


@pytest.fixture(params=["duckdb", "postgres"])
def any_workspace(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The same on each destination that every promise is kept on."""
    url = None
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").new_database()
    return Workspace(tmp_path, url).prepared(monkeypatch)


@pytest.fixture(params=["duckdb", "postgres", "sqlite"])
def everywhere(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The same on each destination that keeps older versions out, SQLite too."""
    if request.param == "sqlite":
        return SqliteWorkspace(tmp_path).prepared(monkeypatch)
    workspace: Workspace = request.getfixturevalue(
        "postgres_workspace" if request.param == "postgres" else "workspace"
    )
    return workspace
