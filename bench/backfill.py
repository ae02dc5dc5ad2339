"""First loads of this project and of programs that do as little: `make bench` writes the tables.

Every contender runs as a whole process, several times, in turn with the others; what it loaded is
compared with what the space has, row by row. Times are worth comparing within a table only.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

import duckdb

from bench.contenders import (
    BARE,
    DATABASE,
    FIXED,
    PROJECT,
    Contender,
    environment,
)
from bench.launch import Cost, launch
from bench.page import write_block
from bench.served import Served, Usage, served
from sources.simulator import Clock, SimulatedSpace

START = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)
BRANDS, CAMPAIGNS_EACH = 250, 4
# orders of each campaign, and milliseconds to an answer
SIZES = ((20, 50), (200, 50), (1000, 30))
TRIES = 3
HEAD = """\
| | seconds, median (range) | ratio | processor s | peak MB | requests | orders | lost | wrong | twice | space busy |
|---|---|---|---|---|---|---|---|---|---|---|"""  # noqa: E501
COMPARED = ("created_at", "updated_at", "processed_at")


class Rows(NamedTuple):
    """What a contender has loaded: its rows, and how they differ from what the space has."""

    rows: int
    lost: int
    wrong: int
    twice: int


class Load(NamedTuple):
    """One load: what it cost the contender and the space, and what came of it."""

    cost: Cost
    usage: Usage
    rows: Rows


def a_space(
    orders: int,
    latency_ms: float,
    *,
    most_at_once: int | None = None,
    slows_beyond: int | None = None,
) -> SimulatedSpace:
    """1,000 campaigns in 250 brands, of so many orders each, that stand still."""
    return SimulatedSpace(
        brands=BRANDS,
        campaigns=CAMPAIGNS_EACH,
        orders=orders,
        numbers=0,
        arrivals_per_day=0,
        latency_ms=latency_ms,
        clock=Clock(START, speed=0),
        most_at_once=most_at_once,
        slows_beyond=slows_beyond,
    )


def loads(
    space: SimulatedSpace, contenders: Sequence[Contender], tries: int
) -> Iterator[tuple[Contender, list[Load]]]:
    """Has all contenders load the space, in turn, so many times."""
    done: dict[str, list[Load]] = {contender.name: [] for contender in contenders}
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.parquet"
        with served(space, truth) as api:
            for number in range(tries):
                for contender in contenders:
                    load = load_once(space, api, contender, truth)
                    done[contender.name].append(load)
                    _tell(f"{number + 1}/{tries} {contender.name}: {load.cost.seconds:.1f} s")
    for contender in contenders:
        yield contender, done[contender.name]


def load_once(
    space: SimulatedSpace,
    api: Served,
    contender: Contender,
    truth: Path,
    longest: float = threading.TIMEOUT_MAX,
) -> Load:
    """One load into a new file.

    Raises:
        Failed: the contender ended with an error.
        TookTooLong: it was ended after `longest` seconds.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = api.usage()
        variables = environment(space, api.url, folder, contender)
        cost = launch(contender.command, variables, folder, longest)
        usage = api.usage().since(before)
        return Load(cost, usage, compared(folder / DATABASE, contender.table, truth))


def compared(database: Path, table: str, truth: Path) -> Rows:
    """Compares a table with the truth: each order's state and times."""

    def values(prefix: str) -> str:
        moments = (f"epoch_us({prefix}.{name}::TIMESTAMPTZ)" for name in COMPARED)
        return f"row({prefix}.state, {', '.join(moments)})"

    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"ATTACH '{database}' AS loaded (READ_ONLY)")
        query = f"""
            WITH loaded AS (SELECT * FROM loaded.{table}), truth AS (FROM '{truth}')
            SELECT
                (SELECT count(*) FROM loaded),
                (SELECT count(*) FROM truth ANTI JOIN loaded USING (id)),
                (SELECT count(*) FROM truth JOIN loaded USING (id)
                    WHERE {values("truth")} IS DISTINCT FROM {values("loaded")}),
                (SELECT count(*) - count(DISTINCT id) FROM loaded)
        """  # noqa: S608
        found = connection.execute(query).fetchone()
    assert found is not None
    return Rows(*found)


def table(results: Iterable[tuple[Contender, list[Load]]]) -> str:
    """A table of the results; the first is what the others are measured against."""
    lines, bare = [HEAD], 0.0
    for contender, of_contender in results:
        seconds = [load.cost.seconds for load in of_contender]
        middle = statistics.median(seconds)
        bare = bare or middle
        load = of_contender[-1]
        worst = Rows(*(max(counts) for counts in zip(*(x.rows for x in of_contender), strict=True)))
        busy = max(x.usage.processor / x.cost.seconds for x in of_contender)
        processor = statistics.median(x.cost.processor for x in of_contender)
        peak = max(x.cost.memory for x in of_contender)
        lines.append(
            f"| {contender.name} | {middle:.1f} ({min(seconds):.1f} to {max(seconds):.1f})"
            f" | {middle / bare:.2f} | {processor:.1f} | {peak:,.0f} | {load.usage.requests:,}"
            f" | {worst.rows:,} | {worst.lost:,} | {worst.wrong:,} | {worst.twice:,} | {busy:.0%} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Writes the tables."""
    contenders = [BARE, PROJECT, FIXED]
    for orders, latency_ms in SIZES:
        space = a_space(orders, latency_ms)
        write_block(f"backfill-{orders}", table(loads(space, contenders, TRIES)))


def _tell(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
