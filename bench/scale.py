"""What one process costs, and many would: `make bench-scale` prints the tables in docs/scale.md.

Measured: the time that 1, 2 and 4 processes take together; processor time of one, from a simulated
space in a process of its own, into a PostgreSQL of its own, and elapsed time where it waits for
that server to merge. All else is worked out from that.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from typing import NamedTuple

from support.postgres_server import running_server

from bench.backfill import a_space
from bench.served import served
from sources.simulator import Clock, SimulatedSpace

START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
BRANDS, CAMPAIGNS_EACH = 100, 4
FEW, MANY = 10, 1_000
TRIES = 3
# what is assumed, not measured: seconds that the API takes for a page, and campaigns at a time
LATENCY, WORKERS = 0.15, 10
SPACES = (1_000, 50_000, 1_000_000)
PROCESSES = (1, 8, 64)
# how many shards are really run, and on how many orders in each of 1,000 campaigns
SHARDS, SHARD_ORDERS = (1, 2, 4), 20
ORDERS_PER_CAMPAIGN, CHANGED_SHARE = 50, 0.002
# loads from several processes run concurrently; the server's disk and processors are shared
SERVER_LOADS_AT_ONCE = 4


COMMAND = [
    sys.executable, "-m", "pipelines", "run", "--destination", "postgres", "--json", "--quiet",
]  # fmt: skip


class Cost(NamedTuple):
    """Seconds that one process takes for each of these; without the network."""

    start: float
    campaign: float
    order_read: float
    order_loaded: float


def main() -> None:
    """Measures, and prints what was measured and what follows."""
    print("| processes | first load | nothing changed |")
    print("|---|---|---|")
    for processes in SHARDS:
        first, quiet = together(processes)
        print(f"| {processes} | {first:.1f} s | {quiet:.1f} s |")
    print()
    few, many = measured(FEW), measured(MANY)
    campaigns = BRANDS * CAMPAIGNS_EACH
    rows = (MANY - FEW) * campaigns
    order_read = (many["quiet"] - few["quiet"]) / rows
    order_loaded = (many["first"] - few["first"]) / rows - order_read
    campaign = max(0.0, (few["quiet"] - few["empty"]) / campaigns - FEW * order_read)
    cost = Cost(few["empty"], campaign, order_read, order_loaded)
    print("| processor time of one process | |")
    print("|---|---|")
    print(f"| starting, asking the destination, ending | {cost.start:.1f} s |")
    print(f"| a campaign: its list, asked for and compared | {cost.campaign * 1e3:.2f} ms |")
    print(f"| an order read | {cost.order_read * 1e6:.1f} µs |")
    print(f"| an order loaded, merged by the server included | {cost.order_loaded * 1e6:.0f} µs |")
    print()
    print("| campaigns | processes | first load | a run where 2 in 1,000 orders changed |")
    print("|---|---|---|---|")
    for size in SPACES:
        for processes in PROCESSES:
            first, later = (predicted(cost, size, processes, share) for share in (1, CHANGED_SHARE))
            print(f"| {size:,} | {processes} | {words(first)} | {words(later)} |")


def predicted(cost: Cost, campaigns: int, processes: int, share_loaded: float) -> float:
    """Seconds of a run: reading waits for the network or the processor; then it loads."""
    here = campaigns / processes
    orders = here * ORDERS_PER_CAMPAIGN
    # one request for each campaign's orders, one for each brand's campaigns
    network = here * (1 + 1 / CAMPAIGNS_EACH) * LATENCY / WORKERS
    processor = here * cost.campaign + orders * cost.order_read
    queue = max(1.0, processes / SERVER_LOADS_AT_ONCE)
    loading = orders * share_loaded * cost.order_loaded * queue
    return cost.start + max(network, processor) + loading


def words(seconds: float) -> str:
    """A duration as a person says it."""
    for name, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {name}"
    return f"{seconds:.0f} s"


def measured(orders: int) -> dict[str, float]:
    """Processor seconds, the server's included, of runs over a space of so many orders each."""
    space = SimulatedSpace(
        brands=BRANDS,
        campaigns=CAMPAIGNS_EACH,
        orders=orders,
        arrivals_per_day=0,
        clock=Clock(START, speed=0),
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        served(space) as api,
    ):
        environment = {
            "DLT_DATA_DIR": folder,
            "DESTINATION__POSTGRES__CREDENTIALS": server.new_database(),
            "SOURCES__SIGNALWIRE__SPACE": api.url,
            "SOURCES__SIGNALWIRE__PROJECT_ID": space.project_id,
            "SOURCES__SIGNALWIRE__API_TOKEN": space.api_token,
        }
        first = run(environment)
        quiet = statistics.median(run(environment) for _ in range(TRIES))
        empty = statistics.median(run(environment, "--resources", "brands") for _ in range(TRIES))
    return {"first": first, "quiet": quiet, "empty": empty}


def together(processes: int) -> tuple[float, float]:
    """Seconds until the last of so many shards ends: of a first load, and of a run after it."""
    space = a_space(SHARD_ORDERS, 1000 * LATENCY)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server() as server,
        served(space) as api,
    ):
        environment = os.environ | {
            "DESTINATION__POSTGRES__CREDENTIALS": server.new_database(),
            "SOURCES__SIGNALWIRE__SPACE": api.url,
            "SOURCES__SIGNALWIRE__PROJECT_ID": space.project_id,
            "SOURCES__SIGNALWIRE__API_TOKEN": space.api_token,
            "SOURCES__SIGNALWIRE__WORKERS": str(WORKERS),
            "SOURCES__SIGNALWIRE__ADAPT_WORKERS": "false",
        }

        def once() -> float:
            started = time.perf_counter()
            runs = [
                subprocess.Popen(
                    [*COMMAND, *(["--shard", f"{n}/{processes}"] if processes > 1 else [])],
                    env=environment | {"DLT_DATA_DIR": f"{folder}/{n}"},
                    stdout=subprocess.DEVNULL,
                )
                for n in range(1, processes + 1)
            ]
            codes = [run.wait() for run in runs]
            if any(codes):
                raise RuntimeError("a shard ended with an error")
            return time.perf_counter() - started

        return once(), once()


def run(environment: dict[str, str], *arguments: str) -> float:
    """Processor seconds of one run of the real command; elapsed ones where it waits for loading."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    elapsed = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    counts = json.loads(done.stdout)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    # the server works while the process waits for it
    return max(processor, elapsed) if counts["orders_loaded"] else processor


if __name__ == "__main__":
    main()
