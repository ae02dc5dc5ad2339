"""Sessions with PostgreSQL that are the same whatever a role, a database or a pooler has set."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import psycopg2
import pyarrow.parquet as pq
from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import LoadJob
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob
from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient

from pipelines.destinations.postgres.checks import require_sessions
from pipelines.destinations.postgres.credentials import LIMITS, Credentials

# years 1 and 9999 fit into Python's times in UTC only
SETTINGS = {
    "timezone": "UTC",
    "datestyle": "ISO",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "quote_all_identifiers": "off",
}
# limits that came later, by the version they came with
LATER_LIMITS = {"idle_session_timeout": 140000, "transaction_timeout": 170000}
REFUSED = "unsupported startup parameter"


class SqlClient(Psycopg2SqlClient):
    """dlt's client, whose connections have this project's settings and survive a failed query."""

    credentials: Credentials

    def open_connection(self) -> Any:
        """Connects, and sets what is relied on.

        Raises:
            ConfigurationError: a pooler lies between that keeps no session.
        """
        self._conn = self.connect()
        try:
            self._settle()
        except BaseException:
            self.close_connection()
            raise
        return self._conn

    def connect(self) -> Any:
        """A new connection with the settings that a role and a database have."""
        try:
            return self._connected()
        except psycopg2.OperationalError as error:
            if REFUSED not in str(error) or self.credentials.__plain__:
                raise
        # pgbouncer takes no options, unless configured to ignore them
        self.credentials.__plain__ = True
        return self._connected()

    def _connected(self) -> Any:
        connection = psycopg2.connect(self.credentials.to_native_representation())
        connection.autocommit = True
        return connection

    def _settle(self) -> None:
        pid = self._conn.get_backend_pid()
        names = list(self._settings().items())
        marks = ", ".join(["set_config(%s, %s, false)"] * len(names))
        values = [part for setting in names for part in setting]
        with closing(self._conn.cursor()) as cursor:
            # a pooler reports another number; settings could end up in sessions of others there
            direct = "pg_backend_pid() = %s"
            statement = f"SELECT {direct}, CASE WHEN {direct} THEN ARRAY[{marks}] END"
            cursor.execute(statement, (pid, pid, *values))
            if not cursor.fetchone()[0]:
                if not self.credentials.__pooled__:
                    require_sessions(self.connect, str(self.credentials))
                    self.credentials.__plain__ = self.credentials.__pooled__ = True
                cursor.execute(f"SELECT {marks}", values)

    def _settings(self) -> dict[str, str]:
        settings = {**SETTINGS, "search_path": f"{self.fully_qualified_dataset_name()},public"}
        if self.credentials.__lifted__:
            version = self._conn.server_version
            later = (name for name, since in LATER_LIMITS.items() if version >= since)
            settings |= dict.fromkeys((*LIMITS, *later), "0")
        return settings

    def _reset_connection(self) -> None:
        """After a failed query, without psycopg2's reset, which takes all settings back."""
        self._conn.rollback()
        self._conn.autocommit = True


class CopyJob(PostgresParquetCopyJob):
    """dlt's job, which cannot copy a file without rows: that is how empty tables are made."""

    def run(self) -> None:
        if pq.read_metadata(self._file_path).num_rows:
            super().run()

    def _connect(self) -> Any:
        """A connection of the driver's own; its values are binary, which no setting changes."""
        # each job that held one and waited for another would use up a small pool for good
        self._job_client.sql_client.close_connection()
        connection = super()._connect()
        names = ", ".join(f"'{name}'" for name in (*LIMITS, *LATER_LIMITS))
        with closing(connection.cursor()) as cursor:
            cursor.execute(
                f"SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ({names})"  # noqa: S608
            )
            cursor.fetchall()
        return connection


class Client(PostgresClient):
    """dlt's client with these sessions and jobs."""

    def __init__(self, schema: Any, config: Any, capabilities: Any) -> None:
        super().__init__(schema, config, capabilities)
        names = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
        self.sql_client = SqlClient(*names, config.credentials, capabilities)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        job = super().create_load_job(table, file_path, load_id, restore)
        return CopyJob(file_path) if isinstance(job, PostgresParquetCopyJob) else job
