"""`signalwire-orders simulate`: starts a simulated space; the simulator parses its options."""

from __future__ import annotations

import sys
from collections.abc import Sequence

PROGRAM = "signalwire-orders simulate"


def start(arguments: Sequence[str]) -> int:
    """Starts the simulated space; returns when it is interrupted."""
    try:
        from sources.simulator.__main__ import main as simulate

        # what it serves with is imported once it starts
        return simulate(list(arguments), prog=PROGRAM)
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"{PROGRAM}: {error.name} is not installed;"
            " install it with: pip install 'signalwire-orders[simulator]'\n"
        )
        return 2
