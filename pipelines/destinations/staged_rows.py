"""SQL for DuckDB over the files of rows that dlt has written: all of them, and each key once."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipelines.destinations.naming import literal, quoted
from sources.signalwire.records.schema import HISTORIES, TABLES

# distinguishes rows that are equal; no field of the API can have such a name
PLACE = "_dlt_place"
FILES = f"""(
    SELECT *, file_index::BIGINT * 1_000_000_000_000 + file_row_number AS {PLACE}
    FROM read_parquet([{{files}}], union_by_name = true)
)"""  # noqa: S608 - all of it is ours
# the staging table, which is empty, gives the columns that a file lacks, and the types
STAGED = f"""(
    SELECT *, -1 - rowid AS {PLACE} FROM {{table}} UNION ALL BY NAME SELECT * FROM {{files}}
)"""  # noqa: S608 - all of it is ours
# One of the rows with the same key. dlt's way sorts all rows by key, a million of them in a
# backfill, and holds them in memory meanwhile; hardly any key comes twice.
ONCE = f"""(
    SELECT * FROM {{staged}} WHERE {PLACE} NOT IN (
        SELECT {PLACE} FROM (
            SELECT {PLACE}, row_number() OVER (PARTITION BY {{key}} ORDER BY {{order}}) AS nth
            FROM {{staged}}
            WHERE {{key}} IN (SELECT {{key}} FROM {{staged}} GROUP BY {{key}} HAVING count(*) > 1)
        ) WHERE nth > 1
    )
)"""  # noqa: S608 - all of it is ours


def staged_files(files: Sequence[str]) -> str:
    """What stands for the rows of Parquet files."""
    # in brackets a pattern's characters stand for themselves
    exact = (re.sub(r"([*?[])", r"[\1]", file) for file in files)
    return FILES.format(files=", ".join(map(literal, exact)))


def staged_rows(staging: str, files: Sequence[str]) -> str:
    """What stands for a staging table: its rows, and those of the Parquet files among these."""
    parquet = [file for file in files if file.endswith(".parquet")]
    if not parquet:
        return f"(SELECT *, rowid AS {PLACE} FROM {staging})"  # noqa: S608 - all of it is ours
    return STAGED.format(table=staging, files=staged_files(parquet))


def each_key_once(table: str, staged: str) -> str:
    """One row for each key of a table of ours, of those that `staged` stands for."""
    key = quoted(TABLES[table].key)
    return ONCE.format(staged=staged, key=key, order=_taken_first(table))


def _taken_first(table: str) -> str:
    """Which of several rows with the same key is taken, as SQL orders them."""
    if table in {history.name for history in HISTORIES.values()}:
        return "seen_at"
    newest_by = TABLES[table].newest_by
    return f"{newest_by} DESC" if newest_by else f"{PLACE} DESC"
