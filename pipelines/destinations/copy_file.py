"""DuckDB files that copies are written to, in a format that older programs can read too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

# what DuckDB may hold of rows on their way: it would keep all that it has written in memory too
MEMORY = "128MB"
# for what needs more: each thread keeps tables of its own, and quantiles are not spilled to disk
MORE_MEMORY = (
    "SET threads = 1; SET memory_limit = '192MB'",
    "SET memory_limit = '384MB'",
    "RESET memory_limit",
)
USUAL = f"SET memory_limit = '{MEMORY}'; RESET threads"
# DuckDB 1.0's: BI tools bundle their own DuckDB, often an old one
STORAGE_VERSION = "v1.0.0"


@contextmanager
def opened_copy(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A copy that is being written, with times in UTC; complete in one file at the end."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "storage_compatibility_version": STORAGE_VERSION,
        "temp_directory": str(database.with_name("spilled")),
        "memory_limit": MEMORY,
    }
    copy = duckdb.connect(str(database), config=config)
    try:
        copy.execute("SET TimeZone = 'UTC'")
        yield copy
        copy.execute("CHECKPOINT")
    finally:
        copy.close()


def in_little_memory(connection: duckdb.DuckDBPyConnection, step: Callable[[], object]) -> None:
    """Takes a step in a transaction; in another one with more memory if it needs that."""
    for setting in (USUAL, *MORE_MEMORY):
        connection.execute(setting)
        try:
            with transaction(connection):
                step()
            break
        except duckdb.OutOfMemoryException:
            connection.rollback()
            if setting is MORE_MEMORY[-1]:
                raise
    connection.execute(USUAL)


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction, given up with the connection if the block fails."""
    connection.begin()
    yield
    connection.commit()


def insert(
    connection: duckdb.DuckDBPyConnection,
    statement: str,
    rows: pa.Table,  # noqa: ARG001 - DuckDB finds it by its name
) -> None:
    """Completes a statement such as INSERT INTO with rows from memory."""
    # not as a registered view: that would keep the rows in memory until the transaction ends
    connection.execute(f"{statement} SELECT * FROM rows")  # noqa: S608 - all of it is ours
