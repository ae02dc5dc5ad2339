"""Snowflake: a schema of a database for each dataset."""

from __future__ import annotations

from typing import Any

from pipelines.destinations.base import DOCUMENTED, Capabilities, Destination
from pipelines.destinations.lock import Lock
from pipelines.destinations.naming import folded, quoted
from pipelines.destinations.row_lock import RowLock


class Snowflake(Destination):
    """A database of a Snowflake account."""

    capabilities = Capabilities(
        tried=True, stale_row_filter=True, lock=True, repair=True, reports=True
    )
    sql_dialect = "snowflake"
    reserved_datasets = frozenset({"information_schema"})
    url_schemes = ("snowflake",)
    expected_credentials = "snowflake://user:password@account/database?warehouse=…&role=…"

    @classmethod
    def locate(cls, config: Any) -> tuple[str, str]:
        """The account and its database."""
        location = f"{config.data_location()}/{config.credentials.database}"
        return location, f"snowflake://{location}"

    def caveats(self) -> list[str]:
        """What is not kept here, and that no account could be had."""
        return [
            *super().caveats(),
            "snowflake was tried in an emulator only: compare what is loaded with the API before"
            f" you rely on it ({DOCUMENTED})",
        ]

    def lock(self) -> Lock:
        """A row in a table of the dataset's schema."""
        client = self.probe.sql_client()
        schema = quoted(folded(client, self.dataset))
        return RowLock(client, schema, self.pipelines_dir / "run.lock")
