"""Merges into DuckDB straight from the files of rows that dlt has written.

dlt copies each file into a staging table first and merges from there: all rows are written twice,
and the database keeps the room for both. Here a file stays where it is, and the merge is written
by this project: no statement of dlt's is changed. A load in which a file was left in place and not
merged does not count.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import duckdb
from dlt.common.configuration.container import Container
from dlt.common.destination import PreparedTableSchema
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.storages.load_package import LoadJobInfo, LoadPackageStateInjectableContext
from dlt.destinations.exceptions import DatabaseException
from dlt.destinations.impl.duckdb.duck import DuckDbClient, DuckDbCopyJob
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.job_client_impl import SqlLoadJob
from dlt.destinations.sql_jobs import SqlFollowupJob

from pipelines.destinations.duckdb import SETTINGS
from pipelines.destinations.naming import catalog_of, is_ambiguous, quoted, reports_dataset
from pipelines.destinations.staged_rows import each_key_once, staged_rows
from pipelines.destinations.stale_rows import stale_row_filter
from sources.signalwire.records.schema import TABLES

logger = logging.getLogger(__name__)
T = TypeVar("T")

# What a merge may use at first. DuckDB fills whatever it may use before it writes to disk, so a
# limit that suits every merge would be taken by each.
LEAST_MEMORY = "64MB"
# what DuckDB says when it has too little: where it cannot write beside the database, as in a folder
# that one may only read, that is what it says
SHORT_OF_MEMORY = (duckdb.OutOfMemoryException, duckdb.IOException)
# our own hint on a table that is being loaded: the files to merge into it
FILES = "x-merged-files"


class NotMerged(RuntimeError):
    """A file of rows would have been lost; the text says what to do."""


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
    """The job of a file that is merged from where it lies."""

    def run(self) -> None:
        """Does nothing."""


class MergeFiles(SqlFollowupJob):
    """The script that merges a table from its files."""

    @classmethod
    def generate_sql(cls, table_chain: Sequence[PreparedTableSchema], sql_client: Any) -> list[str]:
        """The statements, which dlt executes in one transaction."""
        (prepared,) = table_chain  # our tables have no nested ones
        name = str(prepared["name"])
        key = sql_client.escape_column_name(TABLES[name].key)
        table, staging = sql_client.get_qualified_table_names(name)
        staged = staged_rows(staging, prepared[FILES])  # type: ignore[literal-required]
        condition = stale_row_filter(name, table, staged) or "1 = 1"
        once = each_key_once(name, staged)
        columns = ", ".join(
            sql_client.escape_column_name(column)
            for column, hints in prepared["columns"].items()
            if "data_type" in hints
        )
        return [
            f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {staged} WHERE {condition})",  # noqa: S608
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {once} WHERE {condition}",  # noqa: S608
        ]


class MergeJob(SqlLoadJob):
    """Runs a merge in as little memory as it can."""

    def run(self) -> None:
        in_little_memory(self._job_client.sql_client, "the merge", LEAST_MEMORY, super().run)


def in_little_memory(client: Any, name: str, least: str, step: Callable[[], T]) -> T:
    """Takes a step in as little memory as it can, unless users have set a limit of their own.

    It is a transaction, and run again where it runs out of memory.
    """
    most = SETTINGS["memory_limit"]
    if (client.credentials.global_config or {}).get("memory_limit", most) != most:
        return step()
    for limit in dict.fromkeys((least, most)):
        try:
            client.execute_sql(f"SET GLOBAL memory_limit = '{limit}'")
            return step()
        except (DatabaseException, *SHORT_OF_MEMORY) as error:
            if not isinstance(getattr(error, "dbapi_exception", error), SHORT_OF_MEMORY):
                raise
            logger.debug("%s needs more memory than %s, and gets it", name, limit)
    client.execute_sql("RESET GLOBAL memory_limit")
    return step()


class Client(DuckDbClient):
    """dlt's client, whose merges read the files themselves."""

    def __init__(self, schema: Any, config: Any, capabilities: Any) -> None:
        super().__init__(schema, config, capabilities)
        names = self.sql_client.dataset_name, self.sql_client.staging_dataset_name
        self.sql_client = SqlClient(*names, config.credentials, capabilities)

    def create_load_job(
        self, table: PreparedTableSchema, file_path: str, load_id: str, restore: bool = False
    ) -> LoadJob:
        if table["write_disposition"] == "merge" and file_path.endswith(".parquet"):
            return LeaveInPlace(file_path)
        if SqlLoadJob.is_sql_job(file_path):
            return MergeJob(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[PreparedTableSchema],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        done = completed_table_chain_jobs or ()
        if table_chain[0]["write_disposition"] != "merge":
            return super().create_table_chain_completed_followup_jobs(table_chain, done)
        root: Any = {**table_chain[0], FILES: [job.file_path for job in done]}
        return [MergeFiles.from_table_chain([root, *table_chain[1:]], self.sql_client)]

    def complete_load(self, load_id: str) -> None:
        """Marks the load as complete, on which its cursors move.

        Raises:
            NotMerged: a file was left in place, and no merge has read it.
        """
        package = Container()[LoadPackageStateInjectableContext].storage
        jobs = package.list_all_jobs_with_states(load_id)
        done = [job for state, job in jobs if state == "completed_jobs"]
        paths = (
            package.get_job_file_path(load_id, "completed_jobs", job.file_name())
            for job in done
            if job.file_format == "sql"
        )
        merges = "".join(map(package.storage.load, paths))
        for job in done:
            merged = self.schema.get_table(job.table_name).get("write_disposition") == "merge"
            if merged and job.file_format == "parquet" and job.file_name() not in merges:
                raise NotMerged(
                    f"{job.file_name()} was not merged: the installed version of dlt loads in"
                    " another way than this program knows. The load does not count; install"
                    " dlt 1.31"
                )
        super().complete_load(load_id)
