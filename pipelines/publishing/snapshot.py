"""A copy of the data for other programs: a DuckDB file with the tables and every report as a table.

The reports are computed in the copy, from its tables. They need no views at the destination then,
build on each other instead of being computed again for each that names them, and fit the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import duckdb

from pipelines.destinations.base import Destination
from pipelines.destinations.columns import made_columns
from pipelines.destinations.copy_file import in_little_memory, insert, opened_copy, transaction
from pipelines.destinations.naming import literal, quoted, reports_dataset
from pipelines.destinations.rows import arrow_schema
from sources.signalwire.records.schema import TABLES

# a table that only copies have: how old it is, and that runs may replace it
MARK = "published"
MARK_DESCRIPTION = "One row: when this copy was written, and by what."
MARK_COLUMNS = {
    "published_at": "When it was written, by the clock of the machine that did (UTC).",
    "written_by": "The program and its version.",
}


class ReportQuery(Protocol):
    """What a copy needs of a report: its query in DuckDB's SQL, and what its columns mean."""

    @property
    def name(self) -> str: ...
    @property
    def grain(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def query(self) -> str: ...


def write_copy(target: Destination, database: Path, reports: Mapping[str, ReportQuery]) -> None:
    """Writes a new DuckDB file: the tables without dlt's own, and the reports, all as tables.

    Each report comes after those it builds on.
    """
    with target.probe.sql_client() as client:
        columns = _columns_to_copy(client, target.dataset)
        target.copy_tables(client, columns, database)
    with opened_copy(database) as copy:
        with transaction(copy):
            _complete_tables(copy, target.dataset, columns)
        copy.execute(f"CREATE SCHEMA {quoted(reports_dataset(target.dataset))}")
        # reports name tables and each other without a schema
        path = f"{quoted(target.dataset)},{quoted(reports_dataset(target.dataset))}"
        copy.execute(f"SET search_path = {literal(path)}")
        for report in reports.values():
            in_little_memory(copy, partial(_make_report, copy, report, target.dataset))
        with transaction(copy):
            _mark(copy, target.dataset)


def is_copy(database: Path) -> bool:
    """Whether a DuckDB file is a copy that was written here; duckdb.Error if it cannot be read."""
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        found = connection.execute(
            "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal", [MARK]
        ).fetchall()
    return {name for (name,) in found} == MARK_COLUMNS.keys()


def export_parquet(database: Path, folder: Path) -> None:
    """Writes each table of a copy to a Parquet file, those of reports to the folder `reports`."""
    (folder / "reports").mkdir(parents=True)
    with opened_copy(database) as copy:
        tables = copy.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        ((dataset,),) = [(schema,) for schema, name in tables if name == MARK]
        for schema, name in tables:
            file = (folder if schema == dataset else folder / "reports") / f"{name}.parquet"
            copy.execute(f'COPY {quoted(schema)}."{name}" TO {literal(str(file))} (FORMAT parquet)')


def _columns_to_copy(client: Any, dataset: str) -> dict[str, list[str]]:
    """The columns to copy of each of our tables that is there, in its order, without dlt's own."""
    found = client.execute_sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        dataset,
    )
    made = made_columns(client)
    there: dict[str, list[str]] = {}
    for table, column in found or ():
        if table in TABLES and column in made[table] and not column.startswith("_dlt"):
            there.setdefault(table, []).append(column)
    return there


def _complete_tables(
    copy: duckdb.DuckDBPyConnection, dataset: str, copied: Mapping[str, list[str]]
) -> None:
    """Describes the copied tables, and adds empty ones that are not there yet, for the reports."""
    for table in TABLES.values():
        name = f'{quoted(dataset)}."{table.name}"'
        there = copied.get(table.name)
        if there is None:
            there = [column.name for column in table.columns()]
            rows = arrow_schema(table.name, there).empty_table()
            insert(copy, f"CREATE TABLE {name} AS", rows)
        columns = {c.name: c.description for c in table.columns(include_sensitive=True)}
        known = {column: columns[column] for column in there if column in columns}
        _describe(copy, name, table.description, known)


def _make_report(copy: duckdb.DuckDBPyConnection, report: ReportQuery, dataset: str) -> None:
    name = f'{quoted(reports_dataset(dataset))}."{report.name}"'
    copy.execute(f"CREATE TABLE {name} AS {report.query}")
    _describe(copy, name, report.grain, report.columns)


def _mark(copy: duckdb.DuckDBPyConnection, dataset: str) -> None:
    name = f'{quoted(dataset)}."{MARK}"'
    writer = f"signalwire-orders {version('signalwire-orders')}"
    copy.execute(f"CREATE TABLE {name} (published_at TIMESTAMPTZ, written_by VARCHAR)")
    copy.execute(f"INSERT INTO {name} VALUES (now(), ?)", [writer])  # noqa: S608 - our own
    _describe(copy, name, MARK_DESCRIPTION, MARK_COLUMNS)


def _describe(
    copy: duckdb.DuckDBPyConnection, name: str, description: str, columns: Mapping[str, str]
) -> None:
    """Puts the descriptions where programs show them: on the table and its columns."""
    copy.execute(f"COMMENT ON TABLE {name} IS {literal(description)}")
    for column, meaning in columns.items():
        copy.execute(f'COMMENT ON COLUMN {name}."{column}" IS {literal(meaning)}')
