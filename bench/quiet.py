"""A run in which nothing has changed, against the least it could take: `make bench` writes this.

The least is the network's part (requests by latency, divided by the requests at a time), importing
dlt, and opening the destination's file.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench.backfill import a_space
from bench.contenders import DATABASE, FIXED, PROJECT, WORKERS, Contender, environment
from bench.launch import launch
from bench.page import write_block
from bench.served import served
from sources.signalwire.settings import MAX_WORKERS

LATENCY_MS = 50
TRIES = 3
OPENS = (
    "import time, duckdb, sys; began = time.perf_counter()\n"
    "duckdb.connect(sys.argv[1]).execute('FROM signalwire.runs')\n"
    "print(time.perf_counter() - began)"
)
HEAD = """\
| | requests | seconds, median (range) | network | import dlt | open | sum | ratio |
|---|---|---|---|---|---|---|---|"""


def row(contender: Contender, workers: int) -> str:
    """The line of the table for a contender that sends up to so many requests at a time."""
    space = a_space(200, LATENCY_MS)
    seconds, imports = [], []
    with served(space) as api, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        variables = environment(space, api.url, folder, contender)
        launch(PROJECT.command, variables, folder)
        for _ in range(TRIES):
            before = api.usage()
            seconds.append(launch(PROJECT.command, variables, folder).seconds)
            requests = api.usage().since(before).requests
            imports.append(launch([sys.executable, "-c", "import dlt"], {}, folder).seconds)
        database = str(folder / DATABASE)
        launch([sys.executable, "-c", OPENS, database], {}, folder)
        opening = float((folder / "said.txt").read_text())
    network = requests * LATENCY_MS / 1000 / workers
    low, high = min(seconds), max(seconds)
    middle, importing = statistics.median(seconds), statistics.median(imports)
    least = network + importing + opening
    return (
        f"| {contender.name} | {requests:,} | {middle:.1f} ({low:.1f} to {high:.1f})"
        f" | {network:.2f} | {importing:.2f} | {opening:.2f} | {least:.2f} | {middle / least:.2f} |"
    )


def main() -> None:
    """Writes the table."""
    rows = [row(PROJECT, MAX_WORKERS), row(FIXED, WORKERS)]
    write_block("quiet", "\n".join([HEAD, *rows]))


if __name__ == "__main__":
    main()
