"""A simulated space in a process of its own, sharing no interpreter with what it serves."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simulator import SimulatedSpace


@contextmanager
def served(space: SimulatedSpace) -> Iterator[str]:
    """The space's URL, while the block runs."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=_serve, args=(space, theirs), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.terminate()
        process.join()


def _serve(space: SimulatedSpace, pipe: Any) -> None:
    space.start()
    pipe.send(space.url)
    signal.pause()
