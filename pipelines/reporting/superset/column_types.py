"""The types of the reports' columns, from the reports alone: nothing has to be loaded."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipelines.destinations.rows import arrow_schema
from pipelines.reporting.catalog import Report
from sources.signalwire.records.schema import TABLES


def column_types(reports: Mapping[str, Report]) -> dict[str, dict[str, str]]:
    """DuckDB's types of each report's columns, in their order, by report."""
    types = {}
    with duckdb.connect() as connection:
        for table in TABLES.values():
            schema = arrow_schema(table.name, [column.name for column in table.columns()])
            connection.register(table.name, schema.empty_table())
        for name, report in reports.items():
            connection.execute(f"CREATE VIEW {name} AS {report.query}")
            found = connection.execute(f"DESCRIBE {name}").fetchall()
            types[name] = {column: kind for column, kind, *_ in found}
    return types
