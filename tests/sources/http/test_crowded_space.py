"""A real server that cannot serve many requests at a time, and a run with default settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import Workspace, true_orders

from sources.signalwire.settings import DEFAULT_WORKERS, MAX_WORKERS
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]


def test_the_most_is_the_default() -> None:
    assert DEFAULT_WORKERS == MAX_WORKERS


@pytest.mark.parametrize("limits", [{"most_at_once": 8}, {"slows_beyond": 8}])
def test_it_is_read_whole_and_hardly_refuses_anything(
    open_space: OpenSpace, workspace: Workspace, limits: dict[str, int]
) -> None:
    space = open_space(brands=50, campaigns=10, orders=4, latency_ms=5, **limits)
    result = workspace.run(space)
    assert result.stats.complete
    assert workspace.orders() == true_orders(space)
    statuses = [entry.status for entry in space.journal.entries()]
    assert len(statuses) > 550
    assert statuses.count(429) <= 0.02 * len(statuses)
    assert set(statuses) <= {200, 429}


def test_a_fixed_number_is_kept_to_whatever_the_server_does(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=10, campaigns=4, orders=4, latency_ms=20, most_at_once=12)
    workspace.run(space, workers=12, adapt_workers=False)
    assert workspace.orders() == true_orders(space)
    assert {entry.status for entry in space.journal.entries()} == {200}


def test_no_more_connections_are_made_than_requests_are_under_way(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=10, campaigns=4, orders=4, latency_ms=5)
    workspace.run(space, workers=3, adapt_workers=False)
    assert space.journal.peak_in_flight == 3
    assert space.journal.connections <= 4
