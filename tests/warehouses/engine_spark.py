"""The same in a local Spark, which Databricks runs on."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

VIEW = re.compile(r"CREATE VIEW (signalwire_reports\.(\w+)) AS.*?;\n", re.DOTALL)
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.driver.memory": "2g",
}


def main(statements: Path, tables: Path, rows: Path) -> None:
    builder = SparkSession.builder.master("local[2]")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    spark = builder.config("spark.sql.warehouse.dir", str(rows / "warehouse")).getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    print(spark.version)
    for schema in ("signalwire", "signalwire_reports"):
        spark.sql(f"CREATE DATABASE {schema}")
    for file in tables.glob("*.parquet"):
        spark.sql(f"CREATE TABLE signalwire.{file.stem} USING parquet LOCATION '{file}'")
    for view in VIEW.finditer(statements.read_text()):
        began = time.monotonic()
        spark.sql(view[0].rstrip("\n;"))
        table = spark.sql(f"SELECT * FROM {view[1]}").toArrow()
        pq.write_table(table, rows / f"{view[2]}.parquet")
        print(view[2], round(time.monotonic() - began, 1))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
