"""`signalwire-orders dashboard`: the orders on one page, to explore without a server."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from pipelines.cli.options import add_where, file

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds where to write the page."""
    add_where(parser)
    out = "signalwire_orders.html"
    parser.add_argument("--out", type=file, metavar="FILE", default=out, help=f"where to ({out})")
    parser.add_argument("--open", action="store_true", help="then open it in the browser")


def main(arguments: argparse.Namespace) -> int:
    """Writes the page, prints its path, and opens it if asked to."""
    import webbrowser

    from pipelines.cli import report_file
    from pipelines.cli.logs import set_up_logging
    from pipelines.dashboard.data import load
    from pipelines.dashboard.page import is_page, render

    set_up_logging()
    target = report_file.source_of(arguments, "--out", "dashboard", is_page)
    # the page names the digests of its own text, so no newline of it may change
    printed = report_file.write(arguments.out, render(load(target)))
    page: Path = arguments.out
    if printed and arguments.open and not webbrowser.open(page.absolute().as_uri()):
        logger.warning("there is no browser to open %s in", page)
    return 0
