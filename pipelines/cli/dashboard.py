"""`signalwire-orders dashboard`: the orders on one page, to explore without a server."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

from pipelines.cli.options import add_where, file
from sources.printable import printable

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds where to write the page."""
    add_where(parser)
    out = "signalwire_orders.html"
    parser.add_argument("--out", type=file, metavar="FILE", default=out, help=f"where to ({out})")
    parser.add_argument("--open", action="store_true", help="then open it in the browser")


def main(arguments: argparse.Namespace) -> int:
    """Writes the page, prints its path, and opens it if asked to."""
    from pipelines.cli.logs import set_up_logging
    from pipelines.dashboard.data import load
    from pipelines.dashboard.page import is_page, render
    from pipelines.destinations.resolve import find_target
    from pipelines.publishing.output import (
        is_standard_output,
        require_apart,
        require_output,
        write_what_was_asked_for,
    )
    from pipelines.reporting.catalog import dialect_of

    set_up_logging()
    out: Path = arguments.out
    require_output(out, "--out", "dashboard", is_page)
    target = find_target(arguments.destination, arguments.dataset)
    require_apart(out, "--out", target)
    dialect_of(target)  # refuses a destination without reports
    # the page names the digests of its own text, so no newline of it may change
    write_what_was_asked_for(out, render(load(target)))
    if not is_standard_output(out):
        sys.stdout.write(f"{printable(str(out))}\n")
        if arguments.open:
            _open(out)
    return 0


def _open(page: Path) -> None:
    import webbrowser

    if not webbrowser.open(page.absolute().as_uri()):
        logger.warning("there is no browser to open %s in", page)
