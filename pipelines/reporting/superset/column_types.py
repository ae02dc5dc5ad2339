"""The types of the reports' columns, from the reports alone: nothing has to be loaded."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from pipelines.destinations.naming import Schemas
from pipelines.destinations.rows import arrow_schema
from pipelines.reporting.catalog import Report, rendered
from sources.signalwire.records.schema import TABLES


def column_types(reports: Mapping[str, Report]) -> dict[str, dict[str, str]]:
    """DuckDB's types of each report's columns, in their order, by report."""
    schemas = Schemas("tables", "reports")
    with duckdb.connect() as connection:
        for schema in schemas[:2]:
            connection.execute(f"CREATE SCHEMA {schema}")
        for table in TABLES.values():
            rows = arrow_schema(table.name, [column.name for column in table.columns()])
            connection.register("rows", rows.empty_table())
            connection.execute(f"CREATE TABLE {schemas.tables}.{table.name} AS FROM rows")
        for name, report in reports.items():
            query = rendered(report, schemas, "duckdb")
            connection.execute(f"CREATE VIEW {schemas.reports}.{name} AS {query}")
        found = connection.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE schema_name = ? ORDER BY table_name, column_index",
            [schemas.reports],
        ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for report_name, column, kind in found:
        types.setdefault(report_name, {})[column] = kind
    return types
