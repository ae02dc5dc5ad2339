"""`signalwire-orders reports` (and `report`, short for `reports show`): rows, SQL, views, dbt."""

from __future__ import annotations

import argparse
import logging
import re
import sys
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from pipelines.cli.options import add_where, count, filled, moment
from sources.printable import printable

if TYPE_CHECKING:
    from pipelines.reporting.catalog import Report

logger = logging.getLogger(__name__)

SUMMARY = "processing_time_summary"
# how a report says that rows depend on a setting
EMPTY_UNLESS = re.compile(r"Empty (unless .*?)\.")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the action, and the options of `show` and `sql`."""
    add_where(parser)
    add = parser.add_argument
    action = (
        "list the reports, show the rows of one, print their SQL, create their views, write them"
        " as a dbt package"
    )
    add("action", choices=("list", "show", "sql", "apply", "dbt"), help=action)
    which = "which one to show, or to print; dbt: the folder to write"
    add("view", type=filled, nargs="?", metavar="REPORT", help=which)
    add("--dialect", type=filled, metavar="NAME", help="sql, dbt: for this database (duckdb)")
    _add_filters(parser, "show: ")


def add_report_options(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `report`."""
    add_where(parser)
    parser.set_defaults(action="show", dialect=None)
    add, words = parser.add_argument, f"which one ({SUMMARY})"
    add("view", type=filled, nargs="?", default=SUMMARY, metavar="REPORT", help=words)
    _add_filters(parser)


def _add_filters(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    add = parser.add_argument
    formats = ("table", "csv", "json", "markdown")
    add("--format", choices=formats, default="table", help=f"{prefix}the format (table)")
    only = f"{prefix}only of this {{}}: its id or name"
    add("--campaign", type=filled, metavar="ID", help=only.format("campaign"))
    add("--brand", type=filled, metavar="ID", help=only.format("brand"))
    add("--use-case", type=filled, metavar="NAME", help=f"{prefix}only of this use case")
    status = f"{prefix}only with this status: processed, open, failed, deleted"
    add("--status", type=filled, metavar="NAME", help=status)
    since = f"{prefix}only created at that time or later, such as 2026-03-01"
    add("--since", type=moment, metavar="DATE", help=since)
    add("--until", type=moment, metavar="DATE", help=f"{prefix}only created before that time")
    add("--limit", type=count, metavar="N", help=f"{prefix}at most so many rows")


def main(arguments: argparse.Namespace) -> int:
    """Does what the action says."""
    from pipelines.cli.logs import set_up_logging

    set_up_logging()
    action = arguments.action
    if action == "show" and (arguments.dialect or not arguments.view):
        logger.warning("the SQL of reports is now printed by: signalwire-orders reports sql")
        action = "sql"
    actions = {"list": _list, "show": _show, "sql": _sql, "apply": _apply, "dbt": _dbt}
    actions[action](arguments)
    return 0


def _list(_arguments: argparse.Namespace) -> None:
    from pipelines.cli.output import render
    from pipelines.reporting.catalog import configured_reports

    rows = [(report.name, report.grain) for report in configured_reports().values()]
    sys.stdout.write(render(("report", "rows"), rows, width=200) + "\n")


def _show(arguments: argparse.Namespace) -> None:
    """Prints the rows of one report."""
    from pipelines.cli.output import FORMATS, fits, render, terminal_width
    from pipelines.destinations.resolve import find_target
    from pipelines.reporting.catalog import configured_reports
    from pipelines.reporting.rows import Narrowing, holds_rows, report_rows
    from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS

    target = find_target(arguments.destination, arguments.dataset)
    reports, name = configured_reports(), arguments.view
    narrowing = Narrowing(*(getattr(arguments, option.name) for option in fields(Narrowing)))
    columns, rows = report_rows(target, reports, name, narrowing, arguments.limit)
    report = reports[name]
    condition = EMPTY_UNLESS.search(report.grain)
    if condition and not rows and not holds_rows(target, NUMBER_ASSIGNMENTS):
        logger.warning("%s has no rows: it is empty %s", report.name, condition[1])
    left_out: list[str] = []
    if arguments.format != "table":
        text = FORMATS[arguments.format](columns, rows)
    else:
        width = terminal_width()
        if len(rows) > 1 and not fits(columns, rows, width):
            columns, rows, left_out = _narrowed(report, columns, rows, width)
        text = render(columns, rows, width=width)
    if sys.stdout.isatty():  # CSV is data, but a terminal would act on control characters in it
        text = printable(text, lines=True)
    sys.stdout.write(text + "\n")
    if left_out:
        sys.stdout.write(f"left out: {', '.join(left_out)} (--format csv has them)\n")


def _narrowed(
    report: Report, columns: list[str], rows: list[Any], width: int
) -> tuple[list[str], list[Any], list[str]]:
    """The most important columns that fit, and the names of the others; all if three do not."""
    from pipelines.cli.output import fits

    for most in range(len(report.on_terminal), 2, -1):
        kept = [n for n, name in enumerate(columns) if name in report.on_terminal[:most]]
        names, narrow = [columns[n] for n in kept], [[row[n] for n in kept] for row in rows]
        if fits(names, narrow, width):
            return names, narrow, [name for name in columns if name not in names]
    return columns, rows, []


def _sql(arguments: argparse.Namespace) -> None:
    """Prints the statements that create the views, to read or to run elsewhere."""
    from pipelines.destinations.resolve import normalized
    from pipelines.reporting.catalog import (
        configured_reports,
        definition,
        one_report,
        require_dialect,
    )
    from pipelines.reporting.dialects import DIALECTS

    dialect = require_dialect(arguments.dialect or "duckdb")
    found = configured_reports()
    chosen = [one_report(found, arguments.view)] if arguments.view else found.values()
    if caveat := DIALECTS[dialect].caveat:
        sys.stdout.write(f"-- A translation to start from: {caveat}. Compare it with DuckDB's.\n\n")
    dataset = normalized(arguments.dataset or "signalwire")
    for report in chosen:
        sys.stdout.write(definition(report, dataset, dialect) + "\n\n")


def _apply(arguments: argparse.Namespace) -> None:
    """Creates the views without a run."""
    from pipelines.destinations.naming import reports_dataset
    from pipelines.destinations.resolve import find_target
    from pipelines.reporting.catalog import configured_reports, dialect_of
    from pipelines.reporting.views import apply_reports

    target = find_target(arguments.destination, arguments.dataset)
    dialect_of(target)
    target.require_file()
    apply_reports(target, always=True)
    where = f"{reports_dataset(target.dataset)} in {target.description}"
    sys.stdout.write(f"{len(configured_reports())} views made in {printable(where)}\n")


def _dbt(arguments: argparse.Namespace) -> None:
    """Writes the reports as a dbt package."""
    from pathlib import Path

    from pipelines.destinations.resolve import normalized
    from pipelines.reporting.catalog import configured_reports, require_dialect
    from pipelines.reporting.dbt import package, require_package_folder, write_package
    from sources.signalwire.errors import ConfigurationError

    if not arguments.view:
        raise ConfigurationError(
            "reports dbt: name a folder, as in: signalwire-orders reports dbt orders_dbt"
        )
    folder = Path(arguments.view)
    require_package_folder(folder)
    dialect = require_dialect(arguments.dialect or "duckdb")
    files = package(configured_reports(), normalized(arguments.dataset or "signalwire"), dialect)
    write_package(folder, files)
    sys.stdout.write(f"{printable(str(folder))}: {len(files)} files, in SQL for {dialect}\n")
