"""DuckDB: one file, one process at a time."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import dlt
from dlt.common.configuration import configspec
from dlt.destinations.exceptions import DatabaseTransientException
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration, DuckDbCredentials

from pipelines.destinations.base import URL_SCHEME, Capabilities, Destination
from pipelines.destinations.lock import FileLock, Lock, lock_files
from pipelines.destinations.naming import ALWAYS_THERE, Schemas, literal, quoted
from pipelines.destinations.rows import select
from pipelines.errors import DamagedDatabase
from pipelines.errors.explain import RECOVER
from sources.signalwire.errors import ConfigurationError

T = TypeVar("T")
RESERVED = ALWAYS_THERE | {"information_schema", "pg_catalog"}
# Beyond the limit DuckDB spills to a folder beside the file; its own default is four fifths of the
# machine's memory. Each of its threads needs some, so they are limited too. A merge gets less, or
# more where it needs it (`duckdb_merge.MergeJob`).
SETTINGS: dict[str, Any] = {
    "memory_limit": "256MB",
    "threads": min(os.cpu_count() or 1, 2),
    # no reader relies on an order of rows, and to keep one takes memory and time
    "preserve_insertion_order": False,
}
# enough for the dashboard of a million orders, and less than what it may use if it needs more
READING_MEMORY = "160MB"
# what a DuckDB file begins with, after eight bytes that differ
MAGIC = slice(8, 12), b"DUCK"
# characters after which DuckDB writes its log beside another file, so that a load is lost
MISREAD = {"\\": "a slash", "?": "the end of the name"}


@configspec(init=False)
class Credentials(DuckDbCredentials):
    """dlt's credentials, which write their own URL.

    dlt imports SQLAlchemy for it, a tenth of a second.
    """

    def __str__(self) -> str:
        return f"{self.drivername}:///{self.database}"


@configspec(init=False)
class Configuration(DuckDbClientConfiguration):
    """dlt's configuration with these credentials."""

    credentials: Credentials = None  # type: ignore[assignment]


class Factory(dlt.destinations.duckdb):
    """dlt's destination, whose merges read the files of rows themselves."""

    # what dlt's states call it
    destination_type = "dlt.destinations.duckdb"
    spec: type[DuckDbClientConfiguration] = Configuration

    @property
    def client_class(self) -> Any:
        from pipelines.destinations.duckdb_merge import Client  # imports DuckDB

        return Client


class DuckDB(Destination):
    """A file that runs load into, through dlt's `duckdb`."""

    own_factory = Factory
    capabilities = Capabilities(True, True, True, True, True, True)
    sql_dialect = "duckdb"
    opens_read_only = True
    # each connection would read the file, and write out the log of the last
    shares_connection = True
    reserved_datasets = RESERVED
    url_schemes = ("duckdb",)
    expected_credentials = "the path of a file, such as signalwire_orders.duckdb"
    no_shards = (
        "a DuckDB file takes one writer at a time, so shards would only wait for each other; run"
        " without --shard, with more --workers, or load into --destination postgres"
    )

    @classmethod
    def check_credentials(cls, kind: str, credentials: Any) -> None:
        """Refuses other databases' URLs, and paths that DuckDB takes for other ones."""
        super().check_credentials(kind, credentials)
        path = str(getattr(credentials, "database", None) or "")
        # what cannot be parsed as a URL dlt takes for a path
        if found := URL_SCHEME.search(path):
            super().check_credentials(kind, found[0].lstrip("/"))
        require_path(path, "destination.duckdb.credentials")

    @classmethod
    def locate(cls, config: Any) -> tuple[str, str]:
        """The file: whichever path leads to it, it has one working folder and one lock."""
        location = os.path.realpath(config.data_location())
        config.credentials.database = location
        return location, f"duckdb:///{location}"

    @property
    def file(self) -> Path:
        return Path(self.location)

    def require_file(self) -> None:
        """Checks also that it is a database."""
        self.require_loadable()
        super().require_file()

    def require_loadable(self) -> None:
        """Checks that what is there is a database: DuckDB would open those of others too."""
        file, head = self.file, b""
        if not file.exists():
            return
        if file.is_file():
            with suppress(OSError), file.open("rb") as stream:  # DuckDB says why it cannot be read
                head = stream.read(64)
                if head[MAGIC[0]] == MAGIC[1]:
                    return
            if not os.access(file, os.R_OK):
                return
        what = "a folder" if file.is_dir() else "empty" if not head else "no DuckDB database"
        raise DamagedDatabase(f"{file} is {what}; {RECOVER}")

    def configure_load(self) -> None:
        """Limits the memory of a load."""
        self.credentials.global_config = SETTINGS | (self.credentials.global_config or {})

    def lock(self) -> Lock:
        """A lock beside the file."""
        return FileLock(*lock_files(self.file))

    def load(self, pipeline: dlt.Pipeline) -> Any:
        """Loads one table after the other: each uses DuckDB's threads, and two need more memory."""
        return pipeline.load(workers=1)

    def blames_destination(self, error: BaseException) -> bool:
        """What DuckDB says of a file of rows is the file's fault, whatever dlt makes of it."""
        if isinstance(error, DatabaseTransientException):
            return not type(error.dbapi_exception).__module__.startswith(("duckdb", "_duckdb"))
        return super().blames_destination(error)

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """A client that can only read, also a file that several programs read at a time."""
        self.credentials.read_only = True
        with super().opened() as client:
            yield client

    def in_little_memory(self, client: Any, step: Callable[[], T]) -> T:
        """DuckDB would keep what it has read as long as the machine has memory."""
        from pipelines.destinations.duckdb_merge import in_little_memory

        return in_little_memory(client, "reading", READING_MEMORY, step)

    def copy_tables(self, client: Any, tables: Mapping[str, list[str]], database: Path) -> None:
        """Copies from file to file, in the process that has the one open."""
        from pipelines.destinations.copy_file import MEMORY, STORAGE_VERSION  # only to publish
        from pipelines.destinations.duckdb_merge import in_little_memory

        copy = f"copy_{secrets.token_hex(8)}"  # neither a schema nor the file is called so
        options = f"READ_WRITE, STORAGE_VERSION {literal(STORAGE_VERSION)}"
        client.execute_sql(f"ATTACH {literal(str(database))} AS {copy} ({options})")
        schema = f"{copy}.{quoted(self.dataset)}"

        def step() -> None:
            with client.begin_transaction():
                client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
                for table, names in tables.items():
                    query = select(table, names)
                    client.execute_sql(f'CREATE TABLE {schema}."{table}" AS {query}')

        try:
            in_little_memory(client, "the copy", MEMORY, step)
        finally:
            client.execute_sql(f"DETACH {copy}")

    def schemas(self, client: Any) -> Schemas:
        """The schemas, with the catalog before them where names of two parts are ambiguous."""
        return super().schemas(client)._replace(catalog=client.catalog_name())


def require_path(path: str | Path, option: str) -> None:
    """Refuses a path that DuckDB takes for another one.

    Raises:
        ConfigurationError: it is such a one.
    """
    for character, meaning in MISREAD.items():
        if character in str(path):
            raise ConfigurationError(
                f"{option}: {path} has a {character!r}, which DuckDB takes for {meaning}; name"
                " another file, or another folder to run in"
            )
