"""`signalwire-orders reports`: which there are, their SQL in a dialect, and making the views."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.formats import render
from pipelines.cli.logs import set_up_logging
from pipelines.destinations.naming import reports_dataset, schemas_to_show
from pipelines.destinations.resolve import find_target, normalized
from pipelines.reporting.catalog import (
    DIALECTS,
    UNTESTED,
    UPPER_CASE,
    Report,
    configured_reports,
    dialect_of,
    in_dialect,
    rendered,
)
from pipelines.reporting.views import apply_reports
from sources.printable import printable
from sources.signalwire.errors import ConfigurationError


def main(arguments: argparse.Namespace) -> int:
    """Does what the first argument says."""
    set_up_logging()
    return {"list": _list, "show": _show, "apply": _apply}[arguments.action](arguments)


def _list(_arguments: argparse.Namespace) -> int:
    rows = [(report.name, report.grain) for report in configured_reports().values()]
    sys.stdout.write(render(("report", "what it tells"), rows, width=200) + "\n")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    """Prints the statements that make the views, to look at or to run elsewhere."""
    dataset = normalized(arguments.dataset or "signalwire")
    dialect = arguments.dialect or "duckdb"
    if dialect not in DIALECTS.values():
        known = ", ".join(sorted({*DIALECTS.values()}))
        raise ConfigurationError(f"there is no dialect {dialect!r} here; choose from {known}")
    found = configured_reports()
    if arguments.view and arguments.view not in found:
        raise ConfigurationError(
            f"there is no report {arguments.view!r}; choose from {', '.join(found)}"
        )
    if caveat := UNTESTED.get(dialect):
        sys.stdout.write(f"-- A translation to start from: {caveat}. Compare it with DuckDB's.\n\n")
    for report in found.values():
        if arguments.view in (None, report.name):
            sys.stdout.write(_definition(report, dataset, dialect) + "\n\n")
    return 0


def _definition(report: Report, dataset: str, dialect: str) -> str:
    comment = [f"-- {report.grain}", "--"]
    comment += [f"-- {name}: {meaning}" for name, meaning in report.columns.items()]
    schemas = schemas_to_show(dataset, upper=dialect in UPPER_CASE)
    view = f"{in_dialect(schemas.reports, dialect)}.{report.name}"
    return "\n".join([*comment, f"CREATE VIEW {view} AS", rendered(report, schemas, dialect) + ";"])


def _apply(arguments: argparse.Namespace) -> int:
    target = find_target(arguments.destination, arguments.dataset)
    dialect_of(target.kind)
    target.require_file()
    apply_reports(target, anew=True)
    where = f"{reports_dataset(target.dataset)} in {target.description}"
    sys.stdout.write(f"{len(configured_reports())} views made in {printable(where)}\n")
    return 0
