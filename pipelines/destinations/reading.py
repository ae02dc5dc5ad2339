"""How commands that only read open a destination: they make nothing, and others can read too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dlt.common.destination.exceptions import DestinationUndefinedEntity

from pipelines.destinations.resolve import Target
from pipelines.errors import RECOVER, DamagedDatabase, NothingLoaded
from sources.signalwire.records.schema import ORDERS

# how a connection is kept from writing; a file of DuckDB is opened so
READ_ONLY = {
    "postgres": "SET default_transaction_read_only = on",
    "sqlite": "PRAGMA query_only = ON",
}
# what a DuckDB file begins with, after eight bytes that differ
MAGIC = slice(8, 12), b"DUCK"


@contextmanager
def opened(target: Target) -> Iterator[Any]:
    """An SQL client of dlt's that can only read, as far as the destination can see to that.

    Raises:
        NothingLoaded: the destination is a file that is not there. None is made.
        DamagedDatabase: something else is.
    """
    require_file(target)
    if target.kind == "duckdb":
        # a file that one may only read can be opened then, and by several programs at a time
        target.probe.destination.config_params["credentials"].read_only = True
    with target.probe.sql_client() as client:
        if target.kind in READ_ONLY:
            client.execute_sql(READ_ONLY[target.kind])
        yield client


def require_file(target: Target) -> None:
    """Looks whether a destination that is a file is there: to open it would make an empty one.

    Raises:
        NothingLoaded: it is not.
        DamagedDatabase: something else is.
    """
    file = database_file(target)
    require_database(target)
    if file is not None and not file.exists():
        raise NothingLoaded(
            f"nothing is loaded yet: there is no database {file}."
            " Load the orders with: signalwire-orders run"
        )


def require_database(target: Target) -> None:
    """Looks whether what is at the place of a DuckDB file is one, if anything is.

    DuckDB would open other programs' files too, SQLite's for one, as soon as it has an extension.

    Raises:
        DamagedDatabase: it is something else.
    """
    file = Path(target.location)
    if target.kind != "duckdb" or not file.exists():
        return
    head = b""
    if file.is_file():
        with suppress(OSError), file.open("rb") as stream:  # DuckDB says why it cannot be read
            head = stream.read(64)
            if head[MAGIC[0]] == MAGIC[1]:
                return
    if file.is_file() and not os.access(file, os.R_OK):
        return
    what = "a folder" if file.is_dir() else "empty" if not head else "no DuckDB database"
    raise DamagedDatabase(f"{file} is {what}; {RECOVER}")


def require_data(target: Target) -> None:
    """Looks whether anything is loaded, so that no copy is made of nothing.

    Raises:
        NothingLoaded: there is no such file, or no table of orders in it.
    """
    with opened(target) as client:
        table = client.make_qualified_table_name(ORDERS.name)
        try:
            client.execute_sql(f"SELECT 1 FROM {table} WHERE 1 = 0")  # noqa: S608 - our own name
        except DestinationUndefinedEntity:
            raise NothingLoaded(
                f"nothing is loaded into {target.description}, dataset {target.dataset}, yet."
                " Load the orders with: signalwire-orders run"
            ) from None


def database_file(target: Target) -> Path | None:
    """The file that holds the tables; None on a server."""
    if target.kind == "duckdb":
        return Path(target.location)
    if target.kind == "sqlite":
        main = Path(target.location)
        # dlt keeps each dataset in a file of its own
        at_home = target.dataset in ("", "main")
        return main if at_home else main.with_stem(f"{main.stem}__{target.dataset}")
    if target.kind == "ducklake":
        catalog = target.probe.destination.config_params["credentials"].catalog
        if catalog.drivername in ("sqlite", "duckdb"):
            return Path(catalog.database)
    return None
