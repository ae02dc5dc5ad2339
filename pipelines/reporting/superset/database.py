"""Where a BI program finds the reports: the address that SQLAlchemy takes."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from pipelines.destinations.base import Destination
from sources.signalwire.errors import ConfigurationError

# what Superset writes for a password that it asks for when the bundle is imported
MASK = "XXXXXXXXXX"
DRIVERS = {
    "duckdb": "duckdb",
    "postgresql": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
}
SECRET = "sslpassword"  # noqa: S105 - an option of that name
EXAMPLES = "duckdb:////data/bi.duckdb or postgresql://user@host:5432/database"


class Database(NamedTuple):
    """A database as BI programs call and reach it; its password is never in the address."""

    name: str
    uri: str


def given_database(uri: str) -> Database:
    """The database of an address from the command line.

    Raises:
        ConfigurationError: it leads to neither DuckDB nor PostgreSQL. The message repeats nothing
            of it.
    """
    try:
        parts = urlsplit(uri)
        _ = parts.port  # raises ValueError
        driver = DRIVERS[parts.scheme.partition("+")[0]]
    except (KeyError, ValueError):
        raise ConfigurationError(
            f"--database-uri has to lead to a DuckDB file or to PostgreSQL, such as {EXAMPLES}"
        ) from None
    if driver == "duckdb":
        # SQLAlchemy takes the path as it is written
        path = uri.partition("?")[0][len("duckdb:///") :]
        if parts.netloc or not path.strip("/"):
            raise ConfigurationError(
                "--database-uri: before the path of a DuckDB file come three slashes, so that an"
                " absolute one has four: duckdb:////data/bi.duckdb"
            )
        return duckdb_file(path)
    user, at, server = parts.netloc.rpartition("@")
    name, colon, _ = user.partition(":")
    options = [(k, v) for k, v in parse_qsl(parts.query) if k.startswith("ssl") and k != SECRET]
    address = f"{driver}://{name}{f':{MASK}' if colon else ''}{at}{server}{parts.path}"
    if options:
        address += f"?{urlencode(options)}"
    return Database(f"SignalWire orders: {server}{parts.path}", address)


def duckdb_file(path: str) -> Database:
    """A DuckDB file, opened read-only: Superset must not lock what runs replace."""
    return Database(f"SignalWire orders: {path}", f"duckdb:///{path}?access_mode=read_only")


def database_of(target: Destination, published: Path | None) -> Database:
    """The database that BI programs should read for a destination: a copy, or the server itself.

    Raises:
        ConfigurationError: the destination is a file and no copy of it is published.
    """
    if published:
        return duckdb_file(str(published))
    if target.file is None:
        return given_database(target.credentials.to_native_representation())
    raise ConfigurationError(
        "a program that keeps the database itself open would keep runs out. Publish a copy with:"
        " signalwire-orders run --publish bi.duckdb; and name it as the program will find it:"
        " --database-uri duckdb:////data/bi.duckdb (or set reports.publish)"
    )
