"""Rows as destinations return them, as Arrow tables with the types of our tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from sources.signalwire.records.schema import TABLES

# so that memory does not grow with tables
ROWS_AT_ONCE = 20_000


def arrow_schema(table: str, names: Sequence[str]) -> pa.Schema:
    """The types of a table's columns; a field that the API added later is text."""
    known = {field.name: field for field in TABLES[table].arrow_schema(include_sensitive=True)}
    return pa.schema([known.get(name, pa.field(name, pa.string())) for name in names])


def select(table: str, names: Sequence[str]) -> str:
    """The query for some columns of a table of the dataset."""
    columns = ", ".join(f'"{name}"' for name in names)
    return f'SELECT {columns} FROM "{table}"'  # noqa: S608 - the names are the table's own


def tables_of(cursor: Any, schema: pa.Schema) -> Iterator[pa.Table]:
    """What a cursor returns, in parts."""
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        columns = zip(*rows, strict=True)
        arrays = [_array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        yield pa.table(arrays, schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column of what a destination returned; SQLite has texts for times, numbers for truths."""
    first = next((value for value in values if value is not None), None)
    if pa.types.is_timestamp(kind) and isinstance(first, str):
        values = [value if value is None else instant(value) for value in values]
    elif pa.types.is_boolean(kind) and not isinstance(first, bool):
        values = [value if value is None else bool(value) for value in values]
    return pa.array(values, kind)


def instant(value: datetime | str) -> datetime:
    """A time as a destination returns it, also as text or without its zone, which is UTC."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def column_names(cursor: Any) -> list[str]:
    """The names of a result's columns; empty when a statement returns none."""
    described = getattr(cursor, "description", None)  # SQLAlchemy's cursors have none
    return [column[0] for column in described] if described else list(cursor.columns_schema)


def columns_there(client: Any, table: str) -> list[str]:
    """The columns of a table, in lower case, which some destinations do not keep.

    The client has an open connection; `table` is as a statement names it. One that is not there
    has no columns.
    """
    nothing = f"SELECT * FROM {table} WHERE 1 = 0"  # noqa: S608 - our own name
    with suppress(DestinationUndefinedEntity), client.execute_query(nothing) as cursor:
        return [name.lower() for name in column_names(cursor)]
    return []


def fetched(client: Any, sql: str) -> tuple[list[str], list[Any]]:
    """What a statement returns: the names of its columns for people, and its rows.

    The client has an open connection. Of a statement that returns nothing, both are empty.
    """
    with client.execute_query(sql) as cursor:
        names = shown_names(client, cursor)
        return names, list(cursor.fetchall()) if names else []


def shown_names(client: Any, cursor: Any) -> list[str]:
    """The names of a result's columns for people: in lower case where they are folded."""
    names = column_names(cursor)
    if client.capabilities.casefold_identifier is not str.upper:
        return names
    return [name.lower() if name == name.upper() else name for name in names]
