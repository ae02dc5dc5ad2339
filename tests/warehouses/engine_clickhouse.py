"""Runs printed SQL in ClickHouse (chdb), over Parquet files: TABLES.parquet -> ROWS.parquet.

Called as a program of the warehouses' environment: SQL file, folder of tables, folder for rows.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from chdb import session

VIEW = re.compile(r"CREATE VIEW (signalwire_reports\.(\w+)) AS.*?;\n", re.DOTALL)


def main(statements: Path, tables: Path, rows: Path) -> None:
    database = session.Session()
    print(database.query("SELECT version()", "TSV"))
    for schema in ("signalwire", "signalwire_reports"):
        database.query(f"CREATE DATABASE {schema}")
    for file in tables.glob("*.parquet"):
        database.query(
            f"CREATE TABLE signalwire.{file.stem} ENGINE = MergeTree ORDER BY tuple()"
            f" AS SELECT * FROM file('{file}')"
        )
    for view in VIEW.finditer(statements.read_text()):
        database.query(view[0])
        found = database.query(f"SELECT * FROM {view[1]}", "Arrow").bytes()
        table = pa.ipc.open_file(pa.BufferReader(found)).read_all()
        pq.write_table(table, rows / f"{view[2]}.parquet")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
