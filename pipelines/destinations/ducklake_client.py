"""dlt's client of a lake, whose connections share one DuckDB that has the lake attached."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.ducklake.ducklake import DuckLakeClient
from dlt.destinations.impl.ducklake.sql_client import DuckLakeSqlClient


class SqlClient(DuckLakeSqlClient):
    """Detaches the lake with the last connection only."""

    @property
    def attach_statement(self) -> str:
        """dlt's statement; read-only for those that only read."""
        attach = super().attach_statement
        pool: Any = self.credentials.conn_pool
        return f"{attach.removesuffix(')')}, READ_ONLY)" if pool.read_only else attach

    def close_connection(self) -> None:
        """Closes this connection, and with the last one detaches the lake."""
        pool: Any = self.credentials.conn_pool
        if not self._conn or pool.open == 1:
            super().close_connection()
            return
        with suppress(Exception):  # no transaction has begun
            self._conn.execute("ROLLBACK")
        DuckDbSqlClient.close_connection(self)


class Client(DuckLakeClient):
    """dlt's client with ours for SQL."""

    def __init__(self, schema: Any, config: Any, capabilities: Any) -> None:
        super().__init__(schema, config, capabilities)
        self.sql_client = SqlClient(
            dataset_name=config.normalize_dataset_name(schema),
            staging_dataset_name=config.normalize_staging_dataset_name(schema),
            credentials=config.credentials,
            capabilities=capabilities,
            override_data_path=config.override_data_path,
            automatic_migration=config.automatic_migration,
        )
