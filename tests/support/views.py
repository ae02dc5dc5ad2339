"""What the reports say of some orders only: what a filtered dashboard is compared with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from pipelines.reporting.catalog import configured_reports

REPORTS = (
    "processing_time_summary",
    "processing_time_survival",
    "processing_time_by_campaign",
    "processing_time_by_day",
    "processing_time_by_week",
    "target_attainment",
    "backlog",
    "backlog_by_day",
)
KEPT = ("data_as_of", "processing_targets", "stuck_orders")


class Reports:
    """The reports, computed again over those orders of a database that a condition holds for."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._queries = configured_reports()

    def rows(self, query: str) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def of(self, condition: str) -> dict[str, list[dict[str, Any]]]:
        """To each report its rows, if there were no other orders than those."""
        self._connection.execute(
            f"CREATE OR REPLACE VIEW order_processing AS FROM all_orders WHERE {condition}"
        )
        return {name: self.rows(self._queries[name].query) for name in REPORTS}


@contextmanager
def reports_of(database: Path) -> Iterator[Reports]:
    """The reports of a database, which nothing else may have open meanwhile."""
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = 'UTC'; ATTACH '{database}' AS loaded (READ_ONLY)")
        for name in (*KEPT, "order_processing"):
            made = "all_orders" if name == "order_processing" else name
            connection.execute(f"CREATE TABLE {made} AS FROM loaded.signalwire_reports.{name}")
        connection.execute("DETACH loaded")
        yield Reports(connection)
