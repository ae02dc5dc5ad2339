"""Tables and views of reports in a database, filled by tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import duckdb
import psycopg2
import pyarrow as pa
from psycopg2.extras import execute_values

from pipelines.destinations.naming import schemas_to_show
from pipelines.reporting.catalog import Report, in_full
from sources.signalwire.records.schema import TABLES, Table

Row = dict[str, Any]
World = dict[str, list[Row]]
NAMES = tuple(TABLES)
# what dlt makes of the kinds of columns
POSTGRES_TYPES = {
    "text": "varchar", "json": "varchar", "timestamp": "timestamptz", "bool": "boolean",
    "bigint": "bigint", "double": "double precision",
}  # fmt: skip


class Tables(Protocol):
    """Tables and views of one database, filled for each example."""

    def fill(self, world: World) -> None: ...

    def rows(self, sql: str) -> list[Row]: ...


def arrow(table: Table, rows: list[Row]) -> pa.Table:
    whole = [{name: row.get(name) for name in table.arrow_schema().names} for row in rows]
    return pa.Table.from_pylist(whole, schema=table.arrow_schema())


class DuckTables:
    """In memory."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self._connection = duckdb.connect()
        self._connection.execute("SET TimeZone = 'America/New_York'")  # it must not matter
        self._connection.execute("CREATE SCHEMA signalwire; CREATE SCHEMA signalwire_reports")
        for name in NAMES:
            empty = arrow(TABLES[name], [])  # noqa: F841 - DuckDB finds it by its name
            self._connection.execute(f"CREATE TABLE signalwire.{name} AS SELECT * FROM empty")
        for name, report in reports.items():
            query = in_full(report.query, schemas_to_show("signalwire"), "duckdb")
            self._connection.execute(f"CREATE VIEW signalwire_reports.{name} AS {query}")

    def fill(self, world: World) -> None:
        for name in NAMES:
            rows = arrow(TABLES[name], world[name])  # noqa: F841 - as above
            self._connection.execute(f"DELETE FROM signalwire.{name}")
            self._connection.execute(f"INSERT INTO signalwire.{name} SELECT * FROM rows")

    def execute(self, sql: str) -> None:
        self._connection.execute(sql)

    def rows(self, sql: str) -> list[Row]:
        cursor = self._connection.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class PostgresTables:
    """In a database of their own, with the types that dlt gives to columns."""

    def __init__(self, url: str, reports: Mapping[str, Report]) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True
        self._execute("SET TimeZone = 'America/New_York'")
        self._execute("CREATE SCHEMA signalwire; CREATE SCHEMA signalwire_reports")
        for name in NAMES:
            columns = (f'"{c.name}" {POSTGRES_TYPES[c.kind]}' for c in TABLES[name].columns())
            self._execute(f"CREATE TABLE signalwire.{name} ({', '.join(columns)})")
        for name, report in reports.items():
            query = in_full(report.query, schemas_to_show("signalwire"), "postgres")
            self._execute(f"CREATE VIEW signalwire_reports.{name} AS {query}")

    def fill(self, world: World) -> None:
        for name in NAMES:
            self._execute(f"TRUNCATE signalwire.{name}")
            columns = [column.name for column in TABLES[name].columns()]
            values = [tuple(row.get(column) for column in columns) for row in world[name]]
            if values:
                with self._connection.cursor() as cursor:
                    execute_values(cursor, f"INSERT INTO signalwire.{name} VALUES %s", values)

    def rows(self, sql: str) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _execute(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)

    def close(self) -> None:
        self._connection.close()
