"""PostgreSQL takes rows as Arrow, through ADBC: the quickest way there, and an exact one.

Of the file formats that dlt knows for PostgreSQL it would choose CSV for Arrow tables, and its CSV
turns empty texts into nulls. Without the ADBC driver rows go as INSERT statements, slow but exact.
`make bench-postgres` compares them.
"""

from __future__ import annotations

from typing import Any

import pyarrow.parquet as pq
from dlt.destinations.impl.postgres import postgres
from dlt.destinations.impl.postgres.postgres import PostgresParquetCopyJob

EXACT_FORMATS = ["parquet", "insert_values"]


class CopyJob(PostgresParquetCopyJob):
    """dlt's job, which cannot copy a file without rows: that is how empty tables are made."""

    def run(self) -> None:
        """Copies the rows, if there are any."""
        if pq.read_metadata(self._file_path).num_rows:
            super().run()


def load_exactly(destination: Any) -> None:
    """Has a PostgreSQL destination of dlt loaded in formats that keep every value."""
    destination.caps_params["supported_loader_file_formats"] = list(EXACT_FORMATS)
    # dlt has no place to name another job than its own
    postgres.PostgresParquetCopyJob = CopyJob  # type: ignore[misc]
