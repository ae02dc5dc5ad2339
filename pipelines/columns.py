"""The columns that this project made, as the destination has them noted.

A table can have more: those are its user's, and are neither read nor written.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from sources.signalwire.tables import TABLES

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
    made: defaultdict[str, set[str]] = defaultdict(set)
    for table in TABLES.values():
        made[table.name].update(column.name for column in table.columns(include_sensitive=True))
    for schema in _stored_schemas(client):
        for name, table in schema.get("tables", {}).items():
            made[name].update(table.get("columns", {}))
    return dict(made)


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
