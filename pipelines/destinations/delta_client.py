"""dlt's client of Delta tables: merges by our conditions, reads without an extension of DuckDB's.

A merge is one commit: a reader sees all of it or nothing, and one that another writer came before
fails. Tables are read through Arrow; reports are views in memory, made from statements that lie
beside the tables.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from deltalake import DeltaTable, Field, write_deltalake
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.impl.filesystem.filesystem import DeltaLoadFilesystemJob, FilesystemClient
from dlt.destinations.impl.filesystem.sql_client import FilesystemSqlClient

from pipelines.destinations.duckdb import SETTINGS
from pipelines.destinations.naming import literal, quoted, reports_dataset
from pipelines.destinations.staged_rows import PLACE, each_key_once, staged_files
from pipelines.destinations.stale_rows import stale_row_filter
from sources.signalwire.records.schema import TABLES

VIEWS = "_signalwire_orders_reports.json"
DLTS = ("_dlt_loads", "_dlt_pipeline_state", "_dlt_version")
# a merge leaves a file or two; more of them are put together
MOST_FILES = 50
# how delta-rs compares times; without the unit it compares nanoseconds, and refuses to
MOMENT = """arrow_cast('{}', 'Timestamp(Microsecond, Some("UTC"))')"""
SAME = "kept.{0} = incoming.{0}"


class MergeJob(DeltaLoadFilesystemJob):
    """Merges the files of one table."""

    def run(self) -> None:
        """Merges those rows that are newer than the table's, each key once, in one commit."""
        client: Any = self._job_client
        name = self.load_table_name
        kept = client.delta_table(name)
        with TemporaryDirectory() as spilled, duckdb.connect(config=SETTINGS) as connection:
            # not in the current folder, as by default
            connection.execute(f"SET temp_directory = {literal(spilled)}")
            connection.execute("SET TimeZone = 'UTC'")  # the only one that Delta knows
            rows = self._rows_to_merge(connection, kept)
            if kept is None:
                client.create(name, rows)
                return
            have = {field.name for field in kept.schema().fields}
            if new := [Field.from_arrow(f) for f in rows.schema if f.name not in have]:
                kept.alter.add_columns(new)
            columns = {column: f"incoming.{quoted(column)}" for column in rows.schema.names}
            key = TABLES[name].key
            merge = kept.merge(rows, SAME.format(key), target_alias="kept", source_alias="incoming")
            merge.when_matched_update(columns).when_not_matched_insert(columns).execute()
        if len(kept.file_uris()) > MOST_FILES:
            kept.optimize.compact()
            kept.vacuum(dry_run=False)

    def _rows_to_merge(
        self, connection: duckdb.DuckDBPyConnection, kept: Any
    ) -> pa.RecordBatchReader:
        name = self.load_table_name
        staged = staged_files(self.file_paths)
        condition = None
        if kept is not None:
            _view(connection, "kept_rows", kept)
            condition = stale_row_filter(name, "kept_rows", staged)
        once = each_key_once(name, staged)
        sql = f"SELECT * EXCLUDE ({PLACE}) FROM {once} WHERE {condition or '1 = 1'}"  # noqa: S608 - all of it is ours
        return connection.sql(sql).to_arrow_reader()


def _view(connection: duckdb.DuckDBPyConnection, name: str, table: DeltaTable) -> None:
    """Makes a view of a table as it is now.

    The limit keeps filters out of Arrow, which does not compare the texts of DuckDB 2.0 with its
    own.
    """
    dataset = name.replace('"', "") + " dataset"
    connection.register(dataset, table.to_pyarrow_dataset())
    connection.execute(f"CREATE VIEW {name} AS FROM {quoted(dataset)} LIMIT {2**63 - 1}")


class Client(FilesystemClient):
    """dlt's client with our merges."""

    def delta_table(self, name: str) -> Any:
        """A table of ours, opened; None if it is not there."""
        location = self.get_open_table_location("delta", name)
        if not DeltaTable.is_deltatable(location, self.storage_options):
            return None
        return DeltaTable(location, storage_options=self.storage_options)

    @property
    def storage_options(self) -> dict[str, str]:
        """What deltalake needs to reach the bucket."""
        # those of a folder are empty
        given = getattr(self.config.credentials, "to_object_store_rs_credentials", dict[str, str])
        return {**given(), **(self.config.deltalake_storage_options or {})}

    @staticmethod
    def get_reference_followup_job_class(table: Any) -> Any:
        if table["name"] in TABLES:
            return MergeJob
        return FilesystemClient.get_reference_followup_job_class(table)

    def initialize_storage(self, truncate_tables: Any = None) -> None:
        """Makes the dataset's folder, and those of dlt's tables: they may have been removed."""
        super().initialize_storage(truncate_tables)
        for folder in self.get_table_dirs(DLTS):
            self.fs_client.makedirs(folder, exist_ok=True)

    def complete_load(self, load_id: str) -> None:
        """Marks the load as complete, with a table for each that a run has made before."""
        for name in self.schema.data_table_names(seen_data_only=True):
            if name in TABLES and self.delta_table(name) is None:
                schema = TABLES[name].arrow_schema().append(pa.field("_dlt_load_id", pa.string()))
                self.create(name, schema.empty_table())
        super().complete_load(load_id)

    def create(self, name: str, rows: Any) -> None:
        """Makes a table of rows."""
        write_deltalake(
            self.get_open_table_location("delta", name),
            rows,
            storage_options=self.storage_options,
            configuration=self.config.deltalake_configuration,
        )

    def rows_of_dlt(self, name: str) -> list[dict[str, Any]]:
        """The rows of one of dlt's own tables, which has a file for each."""
        try:
            files = self.list_table_files(name)
        except DestinationUndefinedEntity:
            return []
        return [json.loads(self.fs_client.read_text(file, encoding="utf-8")) for file in files]

    def __enter__(self) -> Client:
        """Opens the client that reads too, as dlt's SQL clients do."""
        self.sql_client.open_connection()
        return self

    def __exit__(self, *error: Any) -> None:
        self.sql_client.close_connection()

    def get_storage_tables(self, table_names: Any) -> Iterator[Any]:
        """The columns that tables have, also those that users have added."""
        for name in table_names:
            if name in TABLES:
                found = self.delta_table(name)
                fields = found.schema().fields if found is not None else ()
                yield name, {field.name: {"name": field.name} for field in fields}
            else:
                yield from super().get_storage_tables([name])

    @property
    def sql_client(self) -> Any:
        if not self._sql_client:
            self._sql_client = SqlClient(self, self.dataset_name)
        return self._sql_client

    @sql_client.setter
    def sql_client(self, client: Any) -> None:
        self._sql_client = client

    @property
    def sql_client_class(self) -> Any:
        return SqlClient


class SqlClient(FilesystemSqlClient):
    """Reads the tables and the reports in a DuckDB in memory.

    A connection sees each table as it was when first asked for, so that numbers agree.
    """

    remote_client: Any
    _shown: frozenset[str] = frozenset()

    def open_connection(self) -> Any:
        """Opens the DuckDB in memory; Arrow and fsspec read the files, so it needs no secrets."""
        self._shown = frozenset()
        return DuckDbSqlClient.open_connection(self)

    @contextmanager
    def execute_query(self, query: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        """Executes a statement, for which the tables that it names are there."""
        named = str(query).lower()
        reports = reports_dataset(self.dataset_name).lower()
        everything = reports in named or "information_schema" in named
        wanted = {name for name in (*TABLES, *DLTS) if name in named}
        if everything:
            wanted |= {*TABLES, VIEWS}
        for name in sorted(wanted - self._shown, key=VIEWS.__eq__):  # views need the tables
            self._show(name)
        self._shown |= wanted
        # dlt's own would look for tables that its schema knows, which may be that of another run
        with DuckDbSqlClient.execute_query(self, query, *args, **kwargs) as cursor:
            yield cursor

    def keep_views(self, views: Mapping[str, str]) -> None:
        """Writes the reports' statements beside the tables."""
        fs, new = self.remote_client.fs_client, f"{self._views_file}.new"
        fs.write_text(new, json.dumps(views))
        fs.mv(new, self._views_file)

    def columns(self, name: str) -> list[str]:
        """The columns of a table of ours; none if it is not there."""
        table = self.remote_client.delta_table(name)
        return [] if table is None else [field.name for field in table.schema().fields]

    def change(self, statement: str, values: Sequence[datetime]) -> None:
        """Executes an UPDATE of a table of ours; `values` are its moments."""
        moments = (MOMENT.format(value.isoformat()) for value in values)
        sql = statement.format(**dict(zip(TABLES, TABLES, strict=True)))
        update = sqlglot.parse_one(sql.replace("%s", "{}").format(*moments), read="duckdb")
        changes = {one.this.name: one.expression.sql("duckdb") for one in update.expressions}
        if (table := self.remote_client.delta_table(update.this.name)) is not None:
            table.update(changes, predicate=update.args["where"].this.sql("duckdb"))

    def repair_dlts_files(self, horizon: datetime, now: datetime) -> None:
        """Has no state or schema seem newer than it can be: dlt takes the newest by its name."""
        client = self.remote_client
        for name in ("_dlt_pipeline_state", "_dlt_version"):
            with suppress(DestinationUndefinedEntity):
                for file in client.list_table_files(name):
                    _, _, written = file.rpartition("__")[0].rpartition("__")
                    if float(written) <= horizon.timestamp():
                        continue
                    if name == "_dlt_version":
                        client.fs_client.mv(file, file.replace(written, str(now.timestamp())))
                    else:
                        client.fs_client.rm(file)

    def _show(self, name: str) -> None:
        """Makes a view of a table, or those of the reports, if it is there."""
        if name == VIEWS:
            self._show_reports()
            return
        view = self.make_qualified_table_name(name)
        self._conn.execute(f"DROP VIEW IF EXISTS {view}")
        if name in TABLES and (found := self.remote_client.delta_table(name)) is not None:
            _view(self._conn, view, found)
        elif name in DLTS and (rows := self.remote_client.rows_of_dlt(name)):
            self._conn.register(f"{name} files", pa.Table.from_pylist(rows))
            self._conn.execute(f'CREATE VIEW {view} AS FROM "{name} files"')

    def _show_reports(self) -> None:
        fs = self.remote_client.fs_client
        if not fs.exists(self._views_file):
            return
        schema = quoted(reports_dataset(self.dataset_name))
        self._conn.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for name, sql in json.loads(fs.read_text(self._views_file)).items():
            with suppress(duckdb.CatalogException):  # a table that it needs is gone
                self._conn.execute(f"CREATE OR REPLACE VIEW {schema}.{quoted(name)} AS {sql}")

    @property
    def _views_file(self) -> str:
        return str(self.remote_client.pathlib.join(self.remote_client.dataset_path, VIEWS))
