"""The tables of a destination, brought into a new DuckDB file without dlt's own columns."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.destinations.columns import made_columns
from pipelines.destinations.naming import quoted
from pipelines.destinations.resolve import Target
from sources.signalwire.records.schema import TABLES

# rows on their way at a time, and what DuckDB may hold of them: memory does not grow with tables
ROWS_AT_ONCE = 50_000
MEMORY = "256MB"
# the format that DuckDB 1.0 introduced; programs for reports bring a DuckDB of their own, often old
STORAGE_VERSION = "v1.0.0"


def transfer(target: Target, database: Path) -> None:
    """Writes the tables that are there to a new DuckDB file, into a schema of the dataset's name.

    All of it is what one transaction sees, so that the tables fit each other.

    Raises:
        DatabaseException: dlt's; the destination could not be read, or the file not be written.
        duckdb.Error: the file could not be written.
    """
    with target.probe.sql_client() as client:
        there = _columns(client, target.dataset)
        if target.kind == "duckdb":
            _within_duckdb(client, target.dataset, there, database)
        else:
            with opened_copy(database) as copy:
                _from_postgres(client, target.dataset, there, copy)


@contextmanager
def opened_copy(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy that is being written, with times in UTC; complete in one file at the end."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "temp_directory": str(database.with_name("spilled")),
    }
    copy = duckdb.connect(str(database), config=config)
    try:
        copy.execute("SET TimeZone = 'UTC'")
        yield copy
        copy.execute("CHECKPOINT")
    finally:
        copy.close()


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction, given up with the connection if the block fails."""
    connection.begin()
    yield
    connection.commit()


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def copied_columns(names: Sequence[str], made: Container[str]) -> list[str]:
    """Those columns of a table that its copy has too: what we made, without dlt's own."""
    return [name for name in names if name in made and not name.startswith("_dlt")]


def arrow_schema(table: str, names: Sequence[str]) -> pa.Schema:
    """The types of a table's columns; a field that the API added later is text."""
    known = {field.name: field for field in TABLES[table].arrow_schema(include_sensitive=True)}
    return pa.schema(known.get(name, pa.field(name, pa.string())) for name in names)


def insert(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    rows: pa.Table,  # noqa: ARG001 - DuckDB finds it by its name
) -> None:
    """Completes a statement such as INSERT INTO with rows from memory."""
    # not as a registered view: that would keep the rows in memory until the transaction ends
    connection.execute(f"{statement} SELECT * FROM rows")  # noqa: S608 - all of it is ours


def _columns(client: Any, dataset: str) -> dict[str, list[str]]:
    """The columns to copy of each of our tables that is there, in its order."""
    found = client.execute_sql(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = %s ORDER BY table_name, ordinal_position",
        dataset,
    )
    there: dict[str, list[str]] = {}
    for table, column in found or ():
        there.setdefault(table, []).append(column)
    made = made_columns(client)
    return {t: copied_columns(there[t], made[t]) for t in TABLES if t in there}


def _within_duckdb(
    client: Any, dataset: str, there: Mapping[str, Sequence[str]], database: Path
) -> None:
    """From file to file, in the process that has the one open and so keeps all others out."""
    copy = f"copy_{secrets.token_hex(8)}"  # neither a schema nor the file is called so
    options = f"READ_WRITE, STORAGE_VERSION {literal(STORAGE_VERSION)}"
    client.execute_sql(f"ATTACH {literal(str(database))} AS {copy} ({options})")
    schema = f"{copy}.{quoted(dataset)}"
    try:
        with client.begin_transaction():
            client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            for table, names in there.items():
                made = f'CREATE TABLE {schema}."{table}" AS'
                client.execute_sql(f"{made} {_selection(table, names)}")
    finally:
        client.execute_sql(f"DETACH {copy}")


def _from_postgres(
    client: Any,
    dataset: str,
    there: Mapping[str, Sequence[str]],
    copy: duckdb.DuckDBPyConnection,
) -> None:
    # otherwise DuckDB keeps whatever it has written in memory too, as long as there is any
    copy.execute(f"SET memory_limit = '{MEMORY}'")
    with client.begin_transaction(), transaction(copy):
        client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        copy.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(dataset)}")
        for table, names in there.items():
            schema = arrow_schema(table, names)
            name = f'{quoted(dataset)}."{table}"'
            insert(copy, f"CREATE TABLE {name} AS", schema.empty_table())
            for rows in _rows(client, _selection(table, names), schema):
                insert(copy, f"INSERT INTO {name}", rows)


def _rows(client: Any, query: str, schema: pa.Schema) -> Iterator[pa.Table]:
    # psycopg2 fetches all rows at once, unless the cursor has a name and so lies at the server
    with client.native_connection.cursor("publish") as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            columns = zip(*rows, strict=True)
            arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
            yield pa.table(arrays, schema=schema)


def _selection(table: str, names: Sequence[str]) -> str:
    columns = ", ".join(f'"{name}"' for name in names)
    return f'SELECT {columns} FROM "{table}"'  # noqa: S608 - the names are the table's own
