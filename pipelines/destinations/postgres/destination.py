"""PostgreSQL as a destination: a schema of a database, for several processes at a time.

Rows go there as Arrow, through ADBC: the quickest way, and an exact one. Of the file formats that
dlt knows for PostgreSQL it would choose CSV for Arrow tables, and its CSV turns empty texts into
nulls. Without the ADBC driver rows go as INSERT statements, slow but exact. `make bench-postgres`
compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import dlt
import pyarrow as pa

from pipelines.destinations.base import SCHEMA_THERE, Capabilities, Destination
from pipelines.destinations.key_indexes import add_key_indexes
from pipelines.destinations.lock import Lock
from pipelines.destinations.postgres.checks import require_fit
from pipelines.destinations.postgres.credentials import Configuration
from pipelines.destinations.postgres.lock import PostgresLock
from pipelines.destinations.rows import tables_of
from sources.signalwire.options import SHARD_DIGITS

EXACT_FORMATS = ["parquet", "insert_values"]
KEY_INDEXES = """
SELECT t.tablename, i.indexname FROM pg_tables t LEFT JOIN pg_indexes i
    ON i.schemaname = t.schemaname AND i.indexname = t.tablename || '_key'
WHERE t.schemaname = %s
"""
KEY_INDEX = 'CREATE UNIQUE INDEX "{name}_key" ON {table} ("{key}")'


class Factory(dlt.destinations.postgres):
    """dlt's destination with this project's credentials and sessions."""

    # what dlt's states call it
    destination_type = "dlt.destinations.postgres"
    spec = Configuration  # type: ignore[assignment]  # a narrower one

    @property
    def client_class(self) -> Any:
        from pipelines.destinations.postgres.session import Client  # imports psycopg2

        return Client


class Postgres(Destination):
    """A schema of a PostgreSQL database."""

    capabilities = Capabilities(True, True, True, True, True, True)
    sql_dialect = "postgres"
    reserved_datasets = frozenset({"information_schema"})
    # PostgreSQL's own schemas begin like this
    reserved_prefix = "pg_"
    url_schemes = ("postgresql", "postgres")
    expected_credentials = "postgresql://user:password@host:5432/database"
    no_shards = ""
    comments_on_views = True
    read_only_statement = "SET default_transaction_read_only = on"

    @classmethod
    def factory(cls, configured: Any) -> Any:
        """dlt's factory with our configuration, and formats that keep every value."""
        formats = {"supported_loader_file_formats": list(EXACT_FORMATS)}
        return Factory(**configured.config_params, **configured.caps_params | formats)

    def configure_load(self) -> None:
        """Has later connections work and idle for as long as it takes."""
        self.credentials.__lifted__ = True

    def check_server(self) -> None:
        """Checks encoding, rights and standbys."""
        with self.probe.sql_client() as client:
            require_fit(client, self.location, self.dataset)

    def lock(self) -> Lock:
        """Advisory locks; the connection idles for as long as the API is read."""
        self.credentials.__lifted__ = True
        return PostgresLock(self.probe.sql_client(), self.dataset, self.shard)

    def prepare_tables(self, pipeline: dlt.Pipeline, lock: Lock) -> None:
        """Makes tables and unique keys, which no other shard may do at the same time."""
        if pipeline.default_schema_name:
            with lock.schema_lock():
                pipeline.sync_schema()
                with self.probe.sql_client() as client:
                    add_key_indexes(client, KEY_INDEXES, KEY_INDEX)

    def shard_condition(self, column: str) -> str:
        """The first digits of the id's MD5, as a number."""
        if self.shard is None:
            return super().shard_condition(column)
        number = (
            f"('x' || substr(md5({column}), 1, {SHARD_DIGITS}))::bit({4 * SHARD_DIGITS})::bigint"
        )
        return f"mod({number}, {self.shard.of}) = {self.shard.part - 1}"

    def begin_snapshot(self, client: Any) -> None:
        """Has the transaction see what its first query sees."""
        client.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")

    def stream(self, client: Any, query: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """Rows from a cursor at the server: psycopg2 fetches all at once from any other."""
        with client.native_connection.cursor("publish") as cursor:
            cursor.execute(query)
            yield from tables_of(cursor, schema)

    def create_schema(self, client: Any, name: str, schema: str) -> None:
        """Makes a schema that is not there: a role without the right may not even ask for one."""
        if not client.execute_sql(SCHEMA_THERE, name):
            super().create_schema(client, name, schema)
