"""`signalwire-orders bi`: a file that a BI program imports, with datasets, charts and filters."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.options import add_where, file, filled
from sources.printable import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds which program, where to write, and where that program finds the data."""
    add_where(parser)
    add = parser.add_argument
    add("program", choices=("superset",), help="the program that imports the file")
    add("out", type=file, metavar="OUT.zip", help="where to write it")
    words = "where the program finds the reports (the copy in reports.publish, or PostgreSQL)"
    add("--database-uri", type=filled, metavar="URI", help=words)


def main(arguments: argparse.Namespace) -> int:
    """Writes the bundle, and says what to do with it."""
    from pipelines.cli import report_file
    from pipelines.cli.logs import set_up_logging
    from pipelines.publishing.publish import published_database
    from pipelines.reporting.catalog import configured_reports, configured_targets
    from pipelines.reporting.superset.bundle import Bundle, is_bundle
    from pipelines.reporting.superset.column_types import column_types
    from pipelines.reporting.superset.database import MASK, database_of, given_database

    set_up_logging()
    target = report_file.source_of(arguments, "bi", "bundle for Superset", is_bundle)
    given = arguments.database_uri
    database = given_database(given) if given else database_of(target, published_database())
    reports = configured_reports()
    targets, _ = configured_targets()
    bundle = Bundle(database, target.dataset, reports, column_types(reports), targets)
    if report_file.write(arguments.out, bundle.packed()):
        asks = ", which asks for the password" if MASK in database.uri else ""
        sys.stdout.write(
            f"Import it in Superset: Dashboards, then Import dashboards{asks}.\n"
            f"It reads {printable(database.uri)}\n"
        )
    return 0
