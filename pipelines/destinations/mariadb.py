"""MariaDB, through dlt's `sqlalchemy`: a database of the server for each dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dlt
from dlt.destinations.exceptions import DatabaseException

from pipelines.destinations.base import SCHEMA_THERE, Capabilities, Destination
from pipelines.destinations.key_indexes import add_key_indexes
from pipelines.destinations.lock import CLOSED, PROCESS, PROGRAM, DatabaseLock, Lock, this_process
from sources.signalwire.errors import ConfigurationError

# the usual collation takes A for a, and both for a letter with an accent: ids that differ only so
# would count as one
TEXTS = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
# the table in which the holder of a dataset's lock signs
HOLDER = "_signalwire_orders_run"
# InnoDB indexes 3,072 bytes of a text, four of which are a character
KEY_CHARACTERS = 768
KEY_INDEXES = """
SELECT t.table_name, s.index_name FROM information_schema.tables t
LEFT JOIN information_schema.statistics s ON s.table_schema = t.table_schema
    AND s.table_name = t.table_name AND s.index_name = CONCAT(t.table_name, '_key')
WHERE t.table_schema = %s
"""
KEY_INDEX = f"CREATE INDEX `{{name}}_key` ON {{table}} (`{{key}}`({KEY_CHARACTERS}))"


class MariaDB(Destination):
    """A database of a MariaDB server."""

    capabilities = Capabilities(tried=True, stale_row_filter=True, lock=True, repair=True)
    reserved_datasets = frozenset({"mysql", "information_schema", "performance_schema", "sys"})
    read_only_statement = "SET SESSION TRANSACTION READ ONLY"

    def check_server(self) -> None:
        """Checks that it is MariaDB: MySQL refuses the condition that keeps newer versions."""
        with self.probe.sql_client() as client:
            ((version,),) = client.execute_sql("SELECT VERSION()") or [("",)]
        if "mariadb" not in str(version).lower():
            raise ConfigurationError(
                f"the server is MySQL {version}, which has no statement that keeps older versions"
                " of orders from replacing newer ones; load into MariaDB, PostgreSQL or DuckDB"
            )

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """A client that can only read, in which tables need no database before their names."""
        with super().opened() as client:
            if client.execute_sql(SCHEMA_THERE, self.dataset):
                client.execute_sql(f"USE `{self.dataset}`")
            try:
                yield client
            finally:  # others of this process get the same connection
                client.execute_sql("SET SESSION TRANSACTION READ WRITE")

    def lock(self) -> Lock:
        """A named lock of the server."""
        return NamedLock(self.probe.sql_client(), self.dataset)

    def prepare_tables(self, pipeline: dlt.Pipeline, lock: Lock) -> None:  # noqa: ARG002
        """Makes databases in which texts are compared byte by byte, and indexes of the keys."""
        with pipeline.sql_client() as client:
            for name in (client.dataset_name, client.staging_dataset_name):
                client.execute_sql(f"CREATE DATABASE IF NOT EXISTS `{name}` {TEXTS}")
        if pipeline.default_schema_name:
            pipeline.sync_schema()
        with pipeline.sql_client() as client:
            add_key_indexes(client, KEY_INDEXES, KEY_INDEX.replace("INDEX", "UNIQUE INDEX"))
            with client.with_staging_dataset():
                add_key_indexes(client, KEY_INDEXES, KEY_INDEX)


class NamedLock(DatabaseLock):
    """A lock by name, which the server takes back when the connection ends.

    The server tells others the connection's number only, so that a table says whose it is.
    """

    lost = unknown = CLOSED.format("server")

    def __init__(self, client: Any, dataset: str) -> None:
        super().__init__(client)
        self._dataset = dataset
        self._holder = f"`{dataset}`.`{HOLDER}`"
        digest = hashlib.blake2b(dataset.encode(), digest_size=8).hexdigest()
        self._name = f"{PROGRAM} {digest}"

    def take(self) -> bool:
        self._connect()
        ((taken,),) = self._ask("SELECT GET_LOCK(%s, 0)", self._name)
        if taken == 1:
            self._sign()
        return bool(taken == 1)

    def _sign(self) -> None:
        """Leaves word of who has it, in the dataset's database."""
        table, name = self._holder, PROCESS.format(**this_process())
        self._ask(f"CREATE DATABASE IF NOT EXISTS `{self._dataset}` {TEXTS}")
        self._ask(f"CREATE TABLE IF NOT EXISTS {table} (number BIGINT, holder TEXT)")
        with self._client.begin_transaction():
            self._ask(f"DELETE FROM {table}")  # noqa: S608 - our own name
            self._ask(f"INSERT INTO {table} VALUES (CONNECTION_ID(), %s)", name)  # noqa: S608

    def holder(self) -> str:
        ((number,),) = self._ask("SELECT IS_USED_LOCK(%s)", self._name)
        if not number:
            return "a process that has just ended"
        with suppress(DatabaseException):  # it is about to sign
            sql = f"SELECT holder FROM {self._holder} WHERE number = %s"  # noqa: S608 - likewise
            for (holder,) in self._ask(sql, number):
                return str(holder)
        return f"connection {number} of the server"

    def _is_held(self) -> bool:
        """Whether this very connection holds it."""
        ((held,),) = self._ask("SELECT IS_USED_LOCK(%s) = CONNECTION_ID()", self._name)
        return bool(held)
