"""SQLite, through dlt's `sqlalchemy`: a file for each dataset."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.destinations.base import Capabilities, Destination
from pipelines.destinations.lock import FileLock, Lock, lock_files


class SQLite(Destination):
    """A SQLite file."""

    capabilities = Capabilities(tried=True, stale_row_filter=True, lock=True, repair=True)
    reserved_datasets = frozenset({"temp"})
    read_only_statement = "PRAGMA query_only = ON"

    @classmethod
    def locate(cls, config: Any) -> tuple[str, str]:
        """The file of the dataset `main`; others lie beside it."""
        return str(Path(config.credentials.database).resolve()), str(config)

    @property
    def file(self) -> Path:
        """The file of this dataset: dlt keeps one file per dataset."""
        main = Path(self.location)
        at_home = self.dataset in ("", "main")
        return main if at_home else main.with_stem(f"{main.stem}__{self.dataset}")

    def lock(self) -> Lock:
        """A lock beside the main file."""
        return FileLock(*lock_files(Path(self.location)))

    def sql_time(self, moment: datetime) -> str:
        """A text: SQLite has no times, dlt puts texts there."""
        return f"{moment:%Y-%m-%d %H:%M:%S.%f}"
