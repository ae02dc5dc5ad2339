"""What the load step costs by rows that changed and by rows that are there: `make bench` writes it.

Rows are made up, not read; they are loaded by the same pipeline, with the same tables, keys and
conditions on the merge, as a run loads them.
"""

from __future__ import annotations

import os
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dlt
import pyarrow as pa

from bench.page import write_block
from pipelines.destinations.base import Destination
from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.destinations.stale_rows import filter_stale_rows
from pipelines.loading.load import normalize_and_load
from pipelines.loading.recovery import recover
from sources.signalwire.records.history import changes_of
from sources.signalwire.records.schema import ORDER_CHANGES, ORDERS, TIMESTAMP, Table

THERE = (10_000, 100_000, 1_000_000)
CHANGED = (1, 1_000, 10_000, 100_000, 1_000_000)
AT_ONCE = 20_000
# an odd number, so that no two ids are the same
SCATTER = 0x9E3779B97F4A7C15F39CC0605CEDC835
BEGAN = 1_772_000_000_000_000


def orders(first: int, count: int, version: int) -> Iterator[pa.Table]:
    """Rows of orders in a version; the same numbers are the same orders."""
    for start in range(first, first + count, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, first + count))
        moments = pa.array([BEGAN + number * 1000 + version for number in numbers], pa.int64())
        columns: dict[str, Any] = {
            "id": [
                str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC060 % 2**128))
                for number in numbers
            ],
            "campaign_id": [f"campaign {number // 1000}" for number in numbers],
            "brand_id": [f"brand {number // 4000}" for number in numbers],
            "state": ["processed"] * len(numbers),
        } | dict.fromkeys(
            ("processed_at", "created_at", "updated_at", "read_at"), moments.cast(TIMESTAMP)
        )
        schema = ORDERS.arrow_schema()
        yield pa.table(
            [columns.get(name, pa.nulls(len(numbers))) for name in schema.names],
            names=schema.names,
        ).cast(schema)


@dlt.source(name="signalwire")
def made_up(first: int, count: int, version: int) -> Any:
    """The two tables that orders are loaded into."""
    return [
        _resource(ORDERS, orders(first, count, version)),
        _resource(
            ORDER_CHANGES,
            (changes_of("orders", rows, "run") for rows in orders(first, count, version)),
        ),
    ]


def _resource(table: Table, rows: Iterator[pa.Table]) -> Any:
    return dlt.resource(
        rows,
        name=table.name,
        primary_key=table.key,
        columns=table.hints(),
        write_disposition="merge",
    )


def merged(target: Destination, count: int, version: int) -> float:
    """Seconds that the load step takes for so many orders."""
    source = made_up(0, count, version)
    filter_stale_rows(source, target.probe)
    with exclusive(target, 0) as lock:
        pipeline = recover(target, lock)
        pipeline.extract(source)
        began = time.perf_counter()
        with target.shared_connection():
            normalize_and_load(pipeline, target, lock)
        return time.perf_counter() - began


def row(there: int) -> str:
    """The line of the table for so many orders in the destination."""
    cells, version = [], 0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = str(Path(folder) / "data")
        os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(Path(folder) / "orders.duckdb")
        target = find_target()
        target.configure_load()
        merged(target, there, version)
        for count in CHANGED:
            if count > there:
                cells.append("")
                continue
            version += 1
            cells.append(f"{merged(target, count, version):.2f}")
    return f"| {there:,} | " + " | ".join(cells) + " |"


def main() -> None:
    """Writes the table."""
    head = "| orders there | " + " | ".join(f"{count:,} changed" for count in CHANGED) + " |"
    rule = "|---|" + "---|" * len(CHANGED)
    write_block("merge", "\n".join([head, rule, *(row(there) for there in THERE)]))


if __name__ == "__main__":
    main()
