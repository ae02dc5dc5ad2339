"""Fixtures: a simulated space over real HTTP, and a folder as a user would have one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
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


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A user's folder, for runs in this process and in others."""
    workspace = Workspace(tmp_path)
    for name, value in workspace.environment.items():
        monkeypatch.setenv(name, value)
    return workspace
