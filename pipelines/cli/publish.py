"""`signalwire-orders publish`: a copy for other programs, without a run."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.logs import set_up_logging
from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.publishing.publish import output_to_publish, publish_copy
from sources.printable import printable
from sources.signalwire.errors import ConfigurationError


def main(arguments: argparse.Namespace) -> int:
    """Writes the copy while no run is under way, and prints its path."""
    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    place = output_to_publish(target, arguments.path)
    if place is None:
        raise ConfigurationError(
            "publish: say where to, as in: signalwire-orders publish reports.duckdb"
        )
    target.require_data()
    with exclusive(target, arguments.wait, reading=True):
        publish_copy(target, place)
    sys.stdout.write(f"{printable(str(place.path))}\n")
    return 0
