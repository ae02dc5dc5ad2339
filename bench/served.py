"""A simulated space in a process of its own, sharing no interpreter with what it serves."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from sources.simulator import SimulatedSpace

TRUTH = pa.schema(
    [(name, pa.string()) for name in ("id", "campaign_id", "brand_id", "state")]
    + [(name, pa.string()) for name in ("processed_at", "created_at", "updated_at")]
)
ROWS_AT_ONCE = 20_000


class Usage(NamedTuple):
    """What a space was asked for, and what that took: requests, and seconds of processor time."""

    requests: int
    processor: float

    def since(self, before: Usage) -> Usage:
        return Usage(self.requests - before.requests, self.processor - before.processor)


class Served:
    """The space's URL, and what the serving process tells of itself."""

    def __init__(self, pipe: Any) -> None:
        self._pipe = pipe
        self.url: str = pipe.recv()

    def usage(self) -> Usage:
        """All that was asked for so far."""
        self._pipe.send(None)
        return Usage(*self._pipe.recv())


@contextmanager
def served(space: SimulatedSpace, truth: Path | None = None) -> Iterator[Served]:
    """Serves the space while the block runs, all of it in memory from the first request on.

    `truth` is where to put a Parquet file with the orders as they are at the beginning.
    """
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_serve, args=(space, theirs, truth), daemon=True)
    process.start()
    try:
        yield Served(ours)
    finally:
        process.terminate()
        process.join()


def _serve(space: SimulatedSpace, pipe: Any, truth: Path | None) -> None:
    space.world.warm()
    if truth:
        _write_truth(space, truth)
    space.start()
    pipe.send(space.url)
    while True:
        pipe.recv()
        times = os.times()
        pipe.send((space.journal.requests, times.user + times.system))


def _write_truth(space: SimulatedSpace, path: Path) -> None:
    orders = space.world.truth_orders()
    with pq.ParquetWriter(path, TRUTH) as file:
        for start in range(0, len(orders), ROWS_AT_ONCE):
            rows = [
                record | {"brand_id": brand_id, "campaign_id": campaign_id}
                for brand_id, campaign_id, record in orders[start : start + ROWS_AT_ONCE]
            ]
            file.write_table(pa.Table.from_pylist(rows, schema=TRUTH))
