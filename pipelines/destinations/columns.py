"""The columns that this project made, as the destination has them noted.

A table can have more: those are its user's, and are neither read nor written.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
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
    which is so while dropped tables are repaired, these are the documented columns. The client has
    an open connection.
    """
    versions = client.make_qualified_table_name(VERSIONS)
    sql = f"SELECT schema FROM {versions} WHERE schema_name = %s"  # noqa: S608 - all of it is ours
    rows: Iterable[tuple[str]] = ()
    with suppress(DestinationUndefinedEntity):
        rows = client.execute_sql(sql, SCHEMA) or ()
    made: defaultdict[str, set[str]] = defaultdict(set)
    for (text,) in rows:
        # dlt compresses a schema where texts have a greatest length
        plain = text if text.startswith("{") else zlib.decompress(base64.b64decode(text))
        for name, table in json.loads(plain).get("tables", {}).items():
            made[name].update(table.get("columns", {}))
    documented = {name: {*table.arrow_schema(True).names} for name, table in TABLES.items()}
    return made or defaultdict(set, documented)


def require_free_names(pipeline: dlt.Pipeline) -> None:
    """Refuses to load a column that came later into one of its name that a user has added.

    Raises:
        ConfigurationError: this load has such a column. What was read is loaded by the next run.
    """
    tables = pipeline.default_schema.tables
    client: Any
    with pipeline.destination_client() as client:
        if client.get_stored_schema_by_hash(pipeline.default_schema.version_hash):
            return
        sql_client = client.sql_client
        made = made_columns(sql_client)
        fields = {name: {*tables[name].get("columns", {})} for name in TABLES if name in tables}
        new = {name: columns - made[name] for name, columns in fields.items()}
        for name, there in client.get_storage_tables([name for name in new if new[name]]):
            for column in sorted(c for c in new[name] if not c.startswith("_dlt")):
                folded_name = folded(sql_client, column)
                if folded_name in there and _holds_values(sql_client, name, folded_name):
                    raise ConfigurationError(
                        f"{name} gets a column {column} now, and the table has one of that name"
                        f" already, which a user has added: rename it (ALTER TABLE {name} RENAME"
                        f" COLUMN {column} TO my_{column}) and run again; nothing is lost"
                    )


def _holds_values(client: Any, table: str, column: str) -> bool:
    """Whether a column has anything in it. One that a run was killed after making has not."""
    names = client.make_qualified_table_name(table), client.escape_column_name(column)
    ((count,),) = client.execute_sql("SELECT count({1}) FROM {0}".format(*names))  # noqa: S608
    return bool(count)
