"""A stand-in for a SignalWire space: the read side of the 10DLC campaign registry, on loopback.

For demos, tests and benchmarks of a client of that API. It serves generated brands, campaigns,
number assignments and orders, which change by a simulated clock, over HTTP with the API's
pagination, filters, errors and authentication. No client code belongs here: a mistake shared with
the client would pass on both sides.

    with SimulatedSpace(brands=2, clock=Clock(speed=0)) as space:
        requests.get(space.url + "/api/relay/rest/registry/beta/brands", auth=space.auth)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sources.simulator.clock import Clock
from sources.simulator.faults import Fault

if TYPE_CHECKING:
    from sources.simulator.space import SimulatedSpace

__all__ = ["Clock", "Fault", "SimulatedSpace"]


def __getattr__(name: str) -> Any:
    """Imports the server on first use, so that `--help` does not wait for aiohttp."""
    if name == "SimulatedSpace":
        from sources.simulator.space import SimulatedSpace

        return SimulatedSpace
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
