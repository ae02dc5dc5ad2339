"""Delta tables in a folder or bucket, through dlt's `filesystem`: one per table of ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import dlt
from dlt.common.exceptions import MissingDependencyException
from dlt.sources import DltSource

from pipelines.destinations.base import UNLOCKED, Capabilities, Destination
from pipelines.destinations.clock_repair import TABLES, changes
from pipelines.destinations.lock import FileLock, Lock
from pipelines.errors import NothingLoaded


class Factory(dlt.destinations.filesystem):
    """dlt's destination, whose Delta tables are merged by our conditions."""

    # what dlt's states call it
    destination_type = "dlt.destinations.filesystem"

    @property
    def client_class(self) -> Any:
        try:
            from pipelines.destinations.delta_client import Client  # imports deltalake
        except ModuleNotFoundError as error:
            raise MissingDependencyException("filesystem", [str(error.name)]) from error
        return Client


class Delta(Destination):
    """A folder or bucket with a folder for each dataset, and in it one for each table."""

    own_factory = Factory
    capabilities = Capabilities(
        tried=True, stale_row_filter=True, lock=True, repair=True, reports=True
    )
    sql_dialect = "duckdb"
    opens_read_only = True

    @classmethod
    def locate(cls, config: Any) -> tuple[str, str]:
        """The folder, or the bucket with the path in it."""
        location = config.data_location() if config.is_local_filesystem else config.bucket_url
        return location, str(location)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine's file system."""
        return "://" not in self.location

    def require_loadable(self) -> None:
        """All rows are merged by this project's own job."""

    def require_file(self) -> None:
        """Checks that the dataset's folder is there: what is read from none would be an error."""
        folder = Path(self.location) / self.dataset
        if self.is_local and not folder.is_dir():
            raise NothingLoaded(
                f"nothing is loaded yet: there is no folder {folder}."
                " Load the orders with: signalwire-orders run"
            )

    def prepare_source(self, source: DltSource) -> None:
        """Has each table be a Delta table; which rows are merged, the job of the load decides."""
        for resource in source.resources.values():
            resource.apply_hints(
                table_format="delta",
                write_disposition={"disposition": "merge", "strategy": "upsert"},
            )

    def lock(self) -> Lock:
        """A lock beside the dataset's folder; of a bucket only one of this machine."""
        if not self.is_local:
            return super().lock()
        folder = Path(self.location)
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{self.dataset}.lock")

    def caveats(self) -> list[str]:
        """What is not kept here: in a bucket there is no lock."""
        if self.is_local:
            return super().caveats()
        return [*super().caveats(), UNLOCKED.format("in a bucket")]

    def repair_times(self, client: Any, horizon: datetime, now: datetime) -> None:
        """Sets all times later than `horizon` to `now`, in each table in one commit."""
        client.repair_dlts_files(horizon, now)
        columns = {table: client.columns(table) for table in TABLES}
        for statement, values in changes(columns, self.shard_condition, horizon, now):
            client.change(statement, values)

    def drop_old_states(self, pipeline: Any) -> None:
        """Does nothing: states are files, of which dlt keeps the latest hundred."""

    def keep_views(self, client: Any, views: Mapping[str, str]) -> None:
        """Writes the reports beside the tables, from where each connection makes them again."""
        client.keep_views(views)
