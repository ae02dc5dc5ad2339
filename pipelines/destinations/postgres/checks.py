"""What a PostgreSQL server has to be and to allow, looked at before anything is read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from contextlib import closing
from typing import Any

import dlt

from pipelines.destinations.naming import quoted, reports_dataset
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

POOLED = (
    "{}: a pooler in transaction or statement mode answers there (such as pgbouncer with pool_mode"
    " = transaction). It gives every transaction another session, so that no lock could keep other"
    " runs away. Name the server itself, or a pooler in session mode: on Supabase port 5432 instead"
    " of 6543, on Neon the host without -pooler, with pgbouncer a database with pool_mode = session"
)
MARK = "signalwire_orders.session"
ROUNDS = 3
SERVER = """
SELECT current_user, current_database(), current_setting('server_encoding'),
    current_setting('transaction_read_only') = 'on',
    has_database_privilege(current_database(), 'CREATE')
"""
SCHEMAS = """
SELECT s.name, n.oid IS NOT NULL,
    has_schema_privilege(n.oid, 'USAGE') AND has_schema_privilege(n.oid, 'CREATE')
FROM unnest(%s) WITH ORDINALITY AS s (name, nth)
LEFT JOIN pg_namespace AS n ON n.nspname = s.name ORDER BY s.nth
"""
TABLES_OF_OTHERS = """
SELECT format('%%I.%%I', n.nspname, c.relname), pg_get_userbyid(c.relowner)
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p')
    AND (c.relname = ANY (%s) OR left(c.relname, 5) = '_dlt_')
    AND NOT (has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
        AND has_table_privilege(c.oid, 'DELETE')
        AND (n.nspname = %s OR has_table_privilege(c.oid, 'TRUNCATE')))
ORDER BY 1
"""


def require_fit(client: Any, location: str, dataset: str) -> None:
    """Refuses a server that cannot be loaded into exactly; `location` names it in words.

    Raises:
        ConfigurationError: the text says what is wrong, and what to do.
    """
    ((role, database, encoding, read_only, may_create),) = client.execute_sql(SERVER)
    if encoding != "UTF8":
        raise ConfigurationError(
            f"the database {database} is in {encoding}, which cannot hold every text exactly."
            " Load into one in UTF-8: CREATE DATABASE orders ENCODING 'UTF8' TEMPLATE template0"
        )
    if read_only:
        raise ConfigurationError(
            f"{location} takes no changes: it is a standby, or"
            " default_transaction_read_only is on. Name the server that takes them"
        )
    _require_schemas(client, dataset, role, database, may_create)
    _require_tables(client, role)


def _require_schemas(client: Any, dataset: str, role: str, database: str, may_create: bool) -> None:
    """Refuses a role that cannot make tables where they belong."""
    wanted = [client.dataset_name, client.staging_dataset_name]
    if dlt.config.get("reports.apply", bool):
        wanted.append(reports_dataset(dataset))
    there = client.execute_sql(SCHEMAS, wanted)
    missing = [name for name, is_there, _ in there if not is_there]
    closed = [name for name, is_there, usable in there if is_there and not usable]
    if missing and not may_create:
        made = (f"CREATE SCHEMA {quoted(s)} AUTHORIZATION {quoted(role)}" for s in missing)
        raise ConfigurationError(
            "the database refuses to be written to (permission denied for database"
            f" {database}): the role {role} may not make schemas there, and"
            f" {_listed(missing)} {'is' if len(missing) == 1 else 'are'} missing."
            f" As an administrator: {'; '.join(made)}"
        )
    if closed:
        names = ", ".join(map(quoted, closed))
        raise ConfigurationError(
            f"the database refuses to be written to (permission denied for schema {closed[0]}):"
            f" the role {role} may not make tables in {_listed(closed)}."
            f" As an administrator: GRANT USAGE, CREATE ON SCHEMA {names} TO {quoted(role)}"
        )


def _require_tables(client: Any, role: str) -> None:
    """Refuses a role that cannot write to tables that another one made."""
    schemas = [client.dataset_name, client.staging_dataset_name]
    found = client.execute_sql(TABLES_OF_OTHERS, schemas, list(TABLES), client.dataset_name)
    if found:
        table, owner = found[0]
        raise ConfigurationError(
            f"the database refuses to be written to (permission denied for table {table}):"
            f" it belongs to the role {owner}, and the role {role} may not write to it. Load as"
            f" {owner}, or as an administrator: GRANT {quoted(owner)} TO {quoted(role)}"
        )


def require_sessions(connect: Callable[[], Any], where: str) -> None:
    """Refuses a pooler between whose connections do not keep a session each.

    `connect` makes a connection in psycopg2's autocommit mode; `where` says what it leads to.

    Raises:
        ConfigurationError: a connection has lost what was set in it, or sees another's.
    """
    with closing(connect()) as one, closing(connect()) as other:
        for _ in range(ROUNDS):
            mark = secrets.token_hex(8)
            _value(one, "SELECT set_config(%s, %s, false)", MARK, mark)
            seen = [_value(c, "SELECT current_setting(%s, true)", MARK) for c in (one, other, one)]
            if [value == mark for value in seen] != [True, False, True]:
                raise ConfigurationError(POOLED.format(where))


def _value(connection: Any, sql: str, *values: str) -> Any:
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()[0]


def _listed(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
