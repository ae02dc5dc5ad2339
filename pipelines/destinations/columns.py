"""The columns that this project made, as the destination has them noted.

A table can have more: those are its user's, and are neither read nor written.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import dlt
from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.destinations.naming import folded
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

# dlt's name for the schema of what the source `signalwire` loads, and for the table of its versions
SCHEMA = "signalwire"
VERSIONS = "_dlt_version"


def made_columns(client: Any) -> dict[str, set[str]]:
    """To each of our tables the columns that any run has made, dlt's own among them.

    Every version of the schema counts, since shards add columns one by one. Where none is stored,
    which is so while dropped tables are repaired, these are the documented columns.

    Args:
        client: dlt's SQL client of the destination, with an open connection.
    """
    made: defaultdict[str, set[str]] = defaultdict(set, _documented())
    for schema in _stored_schemas(client):
        for name, table in schema.get("tables", {}).items():
            made[name].update(table.get("columns", {}))
    return dict(made)


def require_free_names(pipeline: dlt.Pipeline) -> None:
    """Refuses to load a field that came later into a column of its name that a user has added.

    Raises:
        ConfigurationError: the API sends such a field now. What was read is loaded by the next run.
    """
    tables = pipeline.default_schema.tables
    fields = {name: {*tables[name].get("columns", {})} for name in TABLES if name in tables}
    if not any(_beyond(fields, _documented()).values()):
        return
    client: Any
    with pipeline.destination_client() as client:
        new = _beyond(fields, made_columns(client.sql_client))
        for name, there in client.get_storage_tables([name for name in new if new[name]]):
            if taken := [c for c in new[name] if folded(client.sql_client, c) in there]:
                column = min(taken)
                raise ConfigurationError(
                    f"the API sends a field {column} of {name} now, and the table has a column of"
                    f" that name already, which a user has added: rename it (ALTER TABLE {name}"
                    f" RENAME COLUMN {column} TO my_{column}) and run again; nothing is lost"
                )


def _documented() -> dict[str, set[str]]:
    return {
        name: {column.name for column in table.columns(include_sensitive=True)}
        for name, table in TABLES.items()
    }


def _beyond(fields: Mapping[str, set[str]], known: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """To each table the columns that are not known, without dlt's own."""
    return {
        name: {column for column in columns - known[name] if not column.startswith("_dlt")}
        for name, columns in fields.items()
    }


def _stored_schemas(client: Any) -> Iterator[dict[str, Any]]:
    versions = client.make_qualified_table_name(VERSIONS)
    sql = f"SELECT schema FROM {versions} WHERE schema_name = %s"  # noqa: S608 - all of it is ours
    try:
        rows = client.execute_sql(sql, SCHEMA) or ()
    except DestinationUndefinedEntity:
        return
    for (text,) in rows:
        yield json.loads(_unpacked(text))


def _unpacked(text: str) -> str:
    """The schema as JSON: dlt compresses it where texts have a greatest length."""
    try:
        return zlib.decompress(base64.b64decode(text, validate=True)).decode()
    except ValueError:
        return text
