"""The same in fakesnow, which runs Snowflake's SQL on DuckDB: no proof of Snowflake's semantics."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import fakesnow
import pyarrow as pa
import pyarrow.parquet as pq
import snowflake.connector

VIEW = re.compile(r"CREATE VIEW (signalwire_reports\.(\w+)) AS.*?;\n", re.DOTALL | re.IGNORECASE)


def main(statements: Path, tables: Path, rows: Path) -> None:
    with fakesnow.patch(create_schema_on_connect=False):
        cursor = snowflake.connector.connect(database="ORDERS").cursor()
        for schema in ("SIGNALWIRE", "SIGNALWIRE_REPORTS"):
            cursor.execute(f"CREATE SCHEMA {schema}")
        for file in tables.glob("*.parquet"):
            columns = ", ".join(
                f'"{name}" AS {name.upper()}' for name in pq.read_schema(file).names
            )
            cursor._duck_conn.execute(
                f"CREATE TABLE ORDERS.SIGNALWIRE.{file.stem.upper()} AS SELECT {columns}"
                f" FROM read_parquet('{file}')"
            )
        for view in VIEW.finditer(statements.read_text()):
            cursor.execute(view[0].rstrip("\n;"))
            found = cursor.execute(f"SELECT * FROM {view[1]}")
            names = [column.name.lower() for column in found.description]
            columns = zip(*found.fetchall(), strict=True)
            arrays = [pa.array(values) for values in columns] or [pa.array([])] * len(names)
            pq.write_table(pa.table(arrays, names), rows / f"{view[2].lower()}.parquet")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
