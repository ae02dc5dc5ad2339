"""First loads by all programs that are compared: `make bench-peers` writes this table.

The quick ones run several times in turn, the slow ones once; what takes too long is ended.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

from bench.backfill import SIZES, a_space, load_once
from bench.contenders import AIRBYTE, BARE, PLAIN, PROJECT, SINGER, SINGER_THREADS, TUNED, Contender
from bench.launch import TookTooLong
from bench.page import write_block
from bench.served import served

QUICK, SLOW = (BARE, PROJECT), (SINGER_THREADS, TUNED, AIRBYTE, PLAIN, SINGER)
TRIES = 3
LONGEST = 120.0
CAMPAIGNS = 1_000


def measured(orders: int, latency_ms: float) -> dict[str, str]:
    """What to write of each contender about a space with so many orders in each campaign."""
    space = a_space(orders, latency_ms)
    seconds: dict[str, list[float]] = {}
    losses: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.parquet"
        with served(space, truth) as api:

            def load(contender: Contender) -> None:
                try:
                    done = load_once(space, api, contender, truth, LONGEST)
                except TookTooLong:
                    seconds[contender.name] = []
                    return
                seconds.setdefault(contender.name, []).append(done.cost.seconds)
                if any(done.rows[1:]):
                    losses[contender.name] = ", not the same rows"
                sys.stderr.write(f"{orders} {contender.name}: {done.cost.seconds:.1f} s\n")

            for _ in range(TRIES):
                for contender in QUICK:
                    load(contender)
            for contender in SLOW:
                load(contender)
    bare = statistics.median(seconds[BARE.name])

    def words(name: str) -> str:
        if not seconds[name]:
            return f"over {LONGEST:.0f} s"
        middle = statistics.median(seconds[name])
        return f"{middle:.1f} s ({middle / bare:.2f}{losses.get(name, '')})"

    return {name: words(name) for name in seconds}


def main() -> None:
    """Writes the table."""
    columns = {orders: measured(orders, latency_ms) for orders, latency_ms in SIZES}
    head = " | ".join(f"{CAMPAIGNS * orders:,} orders" for orders in columns)
    lines = [f"| | {head} |", "|---|" + "---|" * len(columns)]
    for contender in (PROJECT, BARE, *SLOW):
        cells = " | ".join(column[contender.name] for column in columns.values())
        lines.append(f"| {contender.name} | {cells} |")
    write_block("overview", "\n".join(lines))


if __name__ == "__main__":
    main()
