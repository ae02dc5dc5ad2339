"""`signalwire-orders query`: the loaded data, in SQL, without any other program."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys

from dlt.destinations.exceptions import DatabaseException

from pipelines.cli.formats import render
from pipelines.cli.logs import set_up_logging
from pipelines.destinations.resolve import find_target
from pipelines.destinations.rows import shown_names
from sources.signalwire.errors import ConfigurationError

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


def main(arguments: argparse.Namespace) -> int:
    """Prints what one SQL statement returns."""
    set_up_logging()
    # where the locale has no such characters, Python hands over their bytes
    sql = os.fsencode(arguments.sql).decode("utf-8", "replace")
    if not COMMENT.sub("", sql).strip(" ;\t\r\n"):
        raise ConfigurationError("query: there is no SQL in it; try SELECT count(*) FROM orders")
    target = find_target(arguments.destination, arguments.dataset)
    with target.opened() as client:
        try:
            with client.execute_query(sql) as cursor:
                columns = shown_names(client, cursor)
                rows = cursor.fetchall() if columns else []
        except DatabaseException as error:
            raise ConfigurationError(f"the query failed: {error}") from error
    width = shutil.get_terminal_size((100, 24)).columns
    sys.stdout.write(render(columns, rows, width=width) + "\n")
    return 0
