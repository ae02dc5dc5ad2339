"""DuckLake: Parquet files with a catalog in a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration import configspec
from dlt.destinations.impl.duckdb.configuration import DuckDbConnectionPool
from dlt.destinations.impl.ducklake.configuration import (
    DuckLakeClientConfiguration,
    DuckLakeCredentials,
)

from pipelines.destinations.base import UNLOCKED, Capabilities, Destination
from pipelines.destinations.duckdb import RESERVED
from pipelines.destinations.lock import FileLock, Lock, lock_files

FILE_CATALOGS = ("sqlite", "duckdb")
SERVER_CATALOGS = ("postgres", "postgresql")


class Pool(DuckDbConnectionPool):
    """One DuckDB for all connections of this process: to attach a lake takes long."""

    def __init__(self, credentials: Any) -> None:
        super().__init__(credentials)
        self.open = 0
        # whether the lake is attached so that nothing can be written
        self.read_only = False

    def borrow_conn(self, *arguments: Any, **options: Any) -> Any:
        """A connection to the DuckDB that is open, or to a new one."""
        borrowed = super().borrow_conn(*arguments, **options)
        self.open += 1
        return borrowed

    def return_conn(self, borrowed_conn: Any) -> int:
        """Closes the connection, and the last one's DuckDB with it."""
        self.open -= 1
        return super().return_conn(borrowed_conn)


@configspec(init=False)
class Credentials(DuckLakeCredentials):
    """dlt's credentials, whose connections share the lake."""

    def on_resolved(self) -> None:
        super().on_resolved()
        self.conn_pool = Pool(self)


@configspec
class Configuration(DuckLakeClientConfiguration):
    """dlt's configuration with these credentials."""

    credentials: Credentials = None  # type: ignore[assignment]


class Factory(dlt.destinations.ducklake):
    """dlt's destination, whose connections share the lake."""

    # what dlt's states call it
    destination_type = "dlt.destinations.ducklake"
    spec: type[DuckLakeClientConfiguration] = Configuration

    @property
    def client_class(self) -> Any:
        from pipelines.destinations.ducklake_client import Client  # imports DuckDB

        return Client


class DuckLake(Destination):
    """A lake whose catalog is a file, or a database of PostgreSQL."""

    own_factory = Factory
    capabilities = Capabilities(
        tried=True, stale_row_filter=True, lock=True, repair=True, reports=True
    )
    sql_dialect = "duckdb"
    opens_read_only = True
    # to attach the lake takes a fifth of a second
    shares_connection = True
    reserved_datasets = RESERVED

    @property
    def file(self) -> Path | None:
        """The catalog, if it is a file."""
        catalog = self.credentials.catalog
        return Path(catalog.database) if catalog.drivername in FILE_CATALOGS else None

    def lock(self) -> Lock:
        """A lock where the catalog is: beside the file, or in the server's database."""
        catalog = self.credentials.catalog
        if self.file is not None:
            return FileLock(*lock_files(self.file.resolve()))
        if catalog.drivername in SERVER_CATALOGS:
            from pipelines.destinations.postgres.lock import PostgresLock

            name = self.credentials.metadata_schema or self.credentials.ducklake_name
            return PostgresLock(CatalogClient(catalog), f"{name} {self.dataset}", None)
        return super().lock()

    def caveats(self) -> list[str]:
        """What is not kept here; more, where the catalog is of a kind that was not tried."""
        kind, found, _ = self.location.partition("://")
        if not found or kind in (*FILE_CATALOGS, *SERVER_CATALOGS):
            return super().caveats()
        return [*super().caveats(), UNLOCKED.format(f"with a catalog in {kind}")]

    @contextmanager
    def opened(self) -> Iterator[Any]:
        pool = self.credentials.conn_pool
        pool.read_only = True
        try:
            with super().opened() as client:
                yield client
        finally:
            pool.read_only = False


class CatalogClient:
    """A connection to the database of a catalog, as `PostgresLock` asks it."""

    def __init__(self, catalog: Any) -> None:
        self._url = catalog.to_url().render_as_string(hide_password=False)
        self._connection: Any = None

    def open_connection(self) -> None:
        """Opens it, to idle for as long as a run takes."""
        import psycopg2  # only for such catalogs

        self._connection = psycopg2.connect(self._url.replace("postgres://", "postgresql://"))
        self._connection.autocommit = True

    def close_connection(self) -> None:
        """Closes it, with the locks that it holds."""
        self._connection.close()

    def execute_sql(self, sql: str, *values: Any) -> list[Any]:
        """The rows that a statement returns."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)
            return list(cursor.fetchall()) if cursor.description else []
