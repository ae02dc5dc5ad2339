"""Merges into DuckDB straight from the files that dlt has written.

dlt copies each file into a staging table first and merges from there: all rows are written twice,
and the database's file keeps the room for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from dlt.common.destination import DestinationCapabilitiesContext, PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.schema import Schema
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.impl.duckdb import duck
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient

from pipelines.destinations.columns import SCHEMA
from pipelines.destinations.naming import catalog_of, is_ambiguous, quoted, reports_dataset
from sources.signalwire.records.schema import ORDER_CHANGES, ORDERS

# tells rows apart that are the same in everything; no field of the API can have such a name
PLACE = "_dlt_place"
# The staging table, which is empty, gives the columns that a file lacks, and the types.
STAGED = f"""(
    SELECT *, -1 - rowid AS {PLACE} FROM {{table}} UNION ALL BY NAME
    SELECT *, file_index::BIGINT * 1_000_000_000_000 + file_row_number AS {PLACE}
    FROM read_parquet([{{files}}], union_by_name = true)
)"""  # noqa: S608 - all of it is ours
# One of those with the same id. dlt's own way sorts all rows by id, a million of them in a
# backfill, and holds them in memory meanwhile; hardly any id comes twice.
ONCE = f"""(
    SELECT * FROM {{staged}} WHERE {PLACE} NOT IN (
        SELECT {PLACE} FROM (
            SELECT {PLACE}, row_number() OVER (PARTITION BY id ORDER BY {{order}}) AS nth
            FROM {{staged}} WHERE id IN (SELECT id FROM {{staged}} GROUP BY id HAVING count(*) > 1)
        ) WHERE nth > 1
    )
)"""  # noqa: S608 - all of it is ours
# tables that can have millions of rows, and which of those with the same id is taken; of all others
# dlt leaves out what comes twice
TAKEN = {ORDERS.name: "read_at DESC", ORDER_CHANGES.name: "seen_at"}


class SqlClient(DuckDbSqlClient):
    """dlt's, which names the catalog too where a schema has the catalog's name."""

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: ARG002
        """The catalog, if names without it are ambiguous."""
        schemas = {self.dataset_name, self.staging_dataset_name}
        schemas |= {reports_dataset(schema) for schema in schemas}
        file = getattr(self.credentials, "database", None)
        if not isinstance(file, str) or not is_ambiguous(catalog := catalog_of(file), schemas):
            return None
        return quoted(catalog) if quote else catalog

    def warn_if_catalog_equals_dataset_name(self) -> None:
        """Has nothing to warn of."""


class LeaveInPlace(DuckDbCopyJob):
    """The job of a file that is merged from where it lies.

    dlt has a class for jobs that are done from the beginning, but sleeps a second after each.
    """

    def run(self) -> None:
        """Does nothing."""


class Client(DuckDbClient):
    """dlt's client, whose merges read the files themselves."""

    def __init__(
        self,
        schema: Schema,
        config: DuckDbClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        dlts = self.sql_client
        self.sql_client = SqlClient(
            dlts.dataset_name, dlts.staging_dataset_name, config.credentials, capabilities
        )

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        """The job that loads a file."""
        merged = table["write_disposition"] == "merge" and file_path.endswith(".parquet")
        if merged and self._is_ours():
            return LeaveInPlace(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """The job that merges a table, an SQL script, once all its files are there."""
        done = completed_table_chain_jobs or ()
        jobs = super().create_table_chain_completed_followup_jobs(table_chain, done)
        for job in jobs if self._is_ours() else ():
            script = Path(job.new_file_path())
            # dlt takes each line for a statement
            lines = script.read_text(encoding="utf-8").split("\n")
            for table in table_chain:
                name = str(table["name"])
                files = [j.file_path for j in done if j.job_file_info.table_name == name]
                _, staging = self.sql_client.get_qualified_table_names(name)
                lines = [_from_files(line, name, staging, files) for line in lines]
            script.write_text("\n".join(lines), encoding="utf-8")
        return jobs

    def _is_ours(self) -> bool:
        """Whether it loads this project's tables, not another pipeline's of the same process."""
        return self.schema.name == SCHEMA


def merge_from_files() -> None:
    """Has this project's tables merged straight from their files, in any DuckDB destination."""
    # dlt has no place to name another client than its own
    duck.DuckDbClient = Client  # type: ignore[misc]


def staged_rows(staging: str, files: Sequence[str]) -> str:
    """What stands for a staging table: its rows, and those of these files."""
    parquet = [file for file in files if file.endswith(".parquet")]
    if not parquet:
        return f"(SELECT *, rowid AS {PLACE} FROM {staging})"  # noqa: S608 - all of it is ours
    # in brackets a pattern's characters stand for themselves
    exact = (re.sub(r"([*?[])", r"[\1]", file) for file in parquet)
    quoted = ", ".join("'" + file.replace("'", "''") + "'" for file in exact)
    return STAGED.format(table=staging, files=quoted)


def _from_files(statement: str, table: str, staging: str, files: Sequence[str]) -> str:
    """A statement that reads the files instead of the staging table."""
    staged = staged_rows(staging, files)
    before, *others = statement.split(staging)
    if statement.startswith("INSERT") and table in TAKEN:
        # only what is inserted: the conditions have to see what they see in the DELETE
        once = ONCE.format(staged=staged, order=TAKEN[table])
        before, others = f"{before}{once}{others[0]}", others[1:]
    return staged.join([before, *others]).replace("\n", " ")
