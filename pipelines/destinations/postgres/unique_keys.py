"""Unique indexes on the tables' keys, on PostgreSQL.

They make finding the rows that a merge replaces cost what those rows cost, not what the table
costs; and should two loads ever bring the same key at once, the second fails instead of leaving it
there twice.
"""

from __future__ import annotations

from typing import Any

from dlt.destinations.exceptions import DatabaseException

from pipelines.errors import KeysFailed
from pipelines.errors.explain import first_line
from sources.signalwire.records.schema import TABLES

# PostgreSQL's code for a key that is there twice
UNIQUE_VIOLATION = "23505"


def add_unique_keys(client: Any, dataset: str) -> None:
    """Makes the indexes that are not there yet. The tables have to be there, and the lock held.

    Raises:
        KeysFailed: a table holds a key twice, which another program has put there.
    """
    found = client.execute_sql(
        "SELECT t.tablename, i.indexname FROM pg_tables t LEFT JOIN pg_indexes i"
        " ON i.schemaname = t.schemaname AND i.indexname = t.tablename || '_key'"
        " WHERE t.schemaname = %s",
        dataset,
    )
    for name, index in found or ():
        if name not in TABLES or index is not None:
            continue
        key = TABLES[name].key
        table = client.make_qualified_table_name(name)
        try:
            client.execute_sql(f'CREATE UNIQUE INDEX "{name}_key" ON {table} ("{key}")')
        except DatabaseException as error:
            if getattr(error.dbapi_exception, "pgcode", None) != UNIQUE_VIOLATION:
                raise
            raise KeysFailed(name, key, first_line(error)) from error
