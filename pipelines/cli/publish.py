"""`signalwire-orders publish`: a copy for other programs, without a run."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.options import COPY, add_wait, add_where, filled
from sources.printable import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds where to write the copy."""
    add_where(parser)
    words = f"{COPY} (the setting reports.publish)"
    parser.add_argument("path", type=filled, nargs="?", metavar="PATH", help=words)
    add_wait(parser)


def main(arguments: argparse.Namespace) -> int:
    """Writes the copy while no run is under way, and prints its path."""
    from pipelines.cli.logs import set_up_logging
    from pipelines.destinations.lock import exclusive
    from pipelines.destinations.resolve import find_target
    from pipelines.publishing.publish import output_to_publish, publish_copy
    from pipelines.reporting.catalog import configured_reports
    from sources.signalwire.errors import ConfigurationError

    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    output = output_to_publish(target, arguments.path)
    if output is None:
        raise ConfigurationError(
            "publish: PATH is missing, as in: signalwire-orders publish reports.duckdb"
        )
    target.require_data()
    with exclusive(target, arguments.wait, reading=True):
        publish_copy(target, output, configured_reports())
    sys.stdout.write(f"{printable(str(output.path))}\n")
    return 0
