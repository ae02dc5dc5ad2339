"""DuckLake: Parquet files with a catalog in a database."""

from __future__ import annotations

from pathlib import Path

from pipelines.destinations.base import Capabilities, Destination
from pipelines.destinations.duckdb import RESERVED


class DuckLake(Destination):
    """A lake; only the runs of one machine are kept apart."""

    capabilities = Capabilities(tried=True, stale_row_filter=True, repair=True, reports=True)
    sql_dialect = "duckdb"
    reserved_datasets = RESERVED

    @property
    def file(self) -> Path | None:
        """The catalog, if it is a file."""
        catalog = self.credentials.catalog
        return Path(catalog.database) if catalog.drivername in ("sqlite", "duckdb") else None
