"""Unique indexes on the tables' keys, where the database has indexes.

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

# how databases say that a key is there twice: PostgreSQL's code, the beginning of MariaDB's message
UNIQUE_VIOLATION, DUPLICATE = "23505", "Duplicate entry"


def add_key_indexes(client: Any, query: str, statement: str) -> None:
    """Makes the indexes that are not there yet. The tables have to be there, and the lock held.

    `query` finds the tables of a schema, each with its index or null; `statement` makes an index,
    with places for a table's name, the table in full and its key. The client is the schema's, with
    an open connection.

    Raises:
        KeysFailed: a table holds a key twice, which another program has put there.
    """
    for name, index in client.execute_sql(query, client.dataset_name) or ():
        if name not in TABLES or index is not None:
            continue
        table, key = client.make_qualified_table_name(name), TABLES[name].key
        try:
            client.execute_sql(statement.format(name=name, table=table, key=key))
        except DatabaseException as error:
            code = getattr(error.dbapi_exception, "pgcode", None)
            if code != UNIQUE_VIOLATION and DUPLICATE not in str(error):
                raise
            raise KeysFailed(name, key, first_line(error)) from error
