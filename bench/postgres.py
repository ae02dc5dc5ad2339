"""The ways dlt knows to load rows into PostgreSQL, compared: `make bench-postgres` prints a table.

200,000 orders in 200 campaigns, read from a simulated space in a process of its own, loaded by the
real command in another, into a server of its own. Seconds are the median of three first loads, all
of the command included. Exact means that every row is what the space served; among them are texts
that formats tend to spoil.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import datetime, timezone
from typing import Any, NamedTuple

import psycopg2
from support.postgres_server import PostgresServer, running_server

from bench.served import served
from sources.simulator import Clock, SimulatedSpace

START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
TRIES = 3
# the native formats for Arrow tables first; dlt's `model` is for queries within one database
FORMATS = {
    "parquet (ADBC)": ["parquet", "insert_values"],
    "csv (COPY)": ["csv", "insert_values"],
    "insert_values": ["insert_values"],
}
TEXTS = [
    "", " ", "NULL", "\\N", "\\.", "a\n\\.\nb", "a\r\nb\rc", "a\tb", "\\t\\", "\"a\" 'b', c;d",
    "ünï\u2028\N{GRINNING FACE}",
]  # fmt: skip
MOMENT = "2026-01-02T03:04:05.123457Z"
# the real command, in formats that it would not choose
COMMAND = """
import sys
from pipelines.destinations.postgres import destination
destination.EXACT_FORMATS[:] = sys.argv[1].split(",")
from pipelines.cli.main import main
code = main(["run", "--quiet", "--destination", "postgres"])
# what getrusage tells counts what the process was forked from
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
sys.exit(code)
"""
ORDERS = """
SELECT id, campaign_id, brand_id, state, processed_at, created_at, updated_at, status_callback_url
FROM signalwire.orders
"""


class Load(NamedTuple):
    """One first load: what it took, and whether all rows are as served."""

    seconds: float
    peak_megabytes: float
    exact: bool


def main() -> None:
    """Prints the table."""
    space = SimulatedSpace(
        brands=20, campaigns=10, orders=1_000, arrivals_per_day=0, clock=Clock(START, speed=0)
    )
    for (_, _, record), text in zip(space.world.truth_orders(), TEXTS, strict=False):
        space.world.patch_order(record["id"], status_callback_url=text, processed_at=MOMENT)
    truth = sorted(map(_row, space.world.truth_orders()))
    with running_server() as server, served(space) as api:
        print(f"| {len(truth):,} orders as | seconds | ratio | peak memory (MB) | exact |")
        print("|---|---|---|---|---|")
        environment = {
            "SOURCES__SIGNALWIRE__SPACE": api.url,
            "SOURCES__SIGNALWIRE__PROJECT_ID": space.project_id,
            "SOURCES__SIGNALWIRE__API_TOKEN": space.api_token,
        }
        loads: dict[str, list[Load]] = {name: [] for name in FORMATS}
        for _ in range(TRIES):  # in turn, so that what else the machine does hits all alike
            for name, formats in FORMATS.items():
                loads[name].append(_load(formats, environment, server, truth))
    medians = {name: statistics.median(load.seconds for load in loads[name]) for name in loads}
    quickest = min(medians.values())
    for name, seconds in medians.items():
        peak = statistics.median(load.peak_megabytes for load in loads[name])
        exact = "yes" if all(load.exact for load in loads[name]) else "no"
        print(f"| {name} | {seconds:.1f} | {seconds / quickest:.1f} | {peak:.0f} | {exact} |")


def _load(
    formats: list[str],
    environment: dict[str, str],
    server: PostgresServer,
    truth: list[tuple[Any, ...]],
) -> Load:
    with tempfile.TemporaryDirectory() as folder:
        database = server.new_database()
        here = {"DLT_DATA_DIR": folder, "DESTINATION__POSTGRES__CREDENTIALS": database}
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", COMMAND, ",".join(formats)],
            env=os.environ | environment | here,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        seconds = time.perf_counter() - started
    with closing(psycopg2.connect(database)) as connection, connection.cursor() as cursor:
        cursor.execute(ORDERS)
        loaded = [tuple(map(_comparable, row)) for row in cursor]
    return Load(seconds, int(done.stdout) / 1024, sorted(loaded) == truth)


def _row(served: tuple[str, str, dict[str, Any]]) -> tuple[Any, ...]:
    brand_id, campaign_id, record = served
    times = [
        record[name] and datetime.fromisoformat(record[name].replace("Z", "+00:00"))
        for name in ("processed_at", "created_at", "updated_at")
    ]
    callback = record["status_callback_url"]
    row = (record["id"], campaign_id, brand_id, record["state"], *times, callback)
    return tuple(map(_comparable, row))


def _comparable(value: Any) -> tuple[bool, str]:
    """A value that can be sorted with nulls, and tells them from empty texts."""
    if isinstance(value, datetime):
        value = value.astimezone(timezone.utc).isoformat()
    return value is not None, value or ""


if __name__ == "__main__":
    main()
