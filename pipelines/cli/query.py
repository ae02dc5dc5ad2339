"""`signalwire-orders query`: the loaded data, in SQL, without any other program."""

from __future__ import annotations

import argparse
import os
import re
import sys

from pipelines.cli.options import add_where, filled

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the statement."""
    add_where(parser)
    parser.add_argument(
        "sql", type=filled, metavar="SQL", help='such as "select state, count(*) from orders …"'
    )


def main(arguments: argparse.Namespace) -> int:
    """Prints what one SQL statement returns."""
    from dlt.destinations.exceptions import DatabaseException

    from pipelines.cli.logs import set_up_logging
    from pipelines.cli.output import render, terminal_width
    from pipelines.destinations.resolve import find_target
    from pipelines.destinations.rows import fetched
    from sources.signalwire.errors import ConfigurationError

    set_up_logging()
    # where the locale has no such characters, Python passes their bytes on
    sql = os.fsencode(arguments.sql).decode("utf-8", "replace")
    if not COMMENT.sub("", sql).strip(" ;\t\r\n"):
        raise ConfigurationError("query: SQL is empty; try SELECT count(*) FROM orders")
    target = find_target(arguments.destination, arguments.dataset)
    target.check_query(sql)
    with target.opened() as client:
        try:
            columns, rows = target.in_little_memory(client, lambda: fetched(client, sql))
        except DatabaseException as error:
            raise ConfigurationError(f"the query failed: {error}") from error
    sys.stdout.write(render(columns, rows, width=terminal_width()) + "\n")
    return 0
