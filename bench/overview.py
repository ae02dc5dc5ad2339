"""First loads by all programs that are compared: `make bench-peers` writes this table.

The quick ones run several times in turn, the slow ones once; what takes too long is ended.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench.backfill import BRANDS, CAMPAIGNS_EACH, SIZES, a_space, load_once
from bench.contenders import AIRBYTE, BARE, PLAIN, PROJECT, SINGER, SINGER_THREADS, TUNED, Contender
from bench.launch import TookTooLong
from bench.page import write_block
from bench.served import served

QUICK, SLOW = (BARE, PROJECT), (SINGER_THREADS, TUNED, AIRBYTE, PLAIN, SINGER)
TRIES = 3
LONGEST = 120.0


class Measured(NamedTuple):
    """Seconds of a contender's loads, none if it took too long; whether all rows were right."""

    seconds: list[float]
    right: bool


def measured(
    orders: int, latency_ms: float, contenders: Sequence[Contender], tries: int
) -> dict[str, Measured]:
    """Has contenders load a space with so many orders in each campaign, in turn."""
    space = a_space(orders, latency_ms)
    found: dict[str, Measured] = {}
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.parquet"
        with served(space, truth) as api:
            for contender in [*contenders] * tries:
                try:
                    load = load_once(space, api, contender, truth, LONGEST)
                except TookTooLong:
                    found[contender.name] = Measured([], right=True)
                    continue
                before = found.get(contender.name, Measured([], right=True))
                found[contender.name] = Measured(
                    [*before.seconds, load.cost.seconds], before.right and not any(load.rows[1:])
                )
                sys.stderr.write(f"{orders} {contender.name}: {load.cost.seconds:.1f} s\n")
    return found


def words(found: Measured, bare: float) -> str:
    """What the table says of a contender, beside the seconds of the bare script."""
    if not found.seconds:
        return f"over {LONGEST:.0f} s"
    middle = statistics.median(found.seconds)
    wrong = "" if found.right else ", other rows than served"
    return f"{middle:.1f} s ({middle / bare:.2f}{wrong})"


def main() -> None:
    """Writes the table."""
    # the quick ones first, as far from the long loads as can be
    columns = {size: measured(*size, QUICK, TRIES) for size in SIZES}
    for size, column in columns.items():
        column.update(measured(*size, SLOW, 1))
    head = " | ".join(f"{BRANDS * CAMPAIGNS_EACH * orders:,} orders" for orders, _ in columns)
    lines = [f"| | {head} |", "|---|" + "---|" * len(columns)]
    for contender in (PROJECT, BARE, *SLOW):
        cells = (
            words(column[contender.name], statistics.median(column[BARE.name].seconds))
            for column in columns.values()
        )
        lines.append(f"| {contender.name} | {' | '.join(cells)} |")
    write_block("overview", "\n".join(lines))


if __name__ == "__main__":
    main()
