"""Reading ahead: the next batch is made while the one before is written."""

from __future__ import annotations

from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import Any, TypeVar

T = TypeVar("T")

# seconds; see `_result`
LONGEST_WAIT = 0.5


def one_ahead(
    items: Generator[T, None, None], stop: Callable[[], None]
) -> Generator[T, None, None]:
    """The items, each made in a thread of its own while the consumer has the one before.

    Python's interpreter serves one thread at a time, but Arrow does without it, on either side.

    Args:
        items: Raises to the consumer what it raises.
        stop: Has `items` end soon, whatever it waits for; called when the consumer wants no more.
    """
    end: Any = object()
    with closing(items), ThreadPoolExecutor(1, "signalwire-ahead") as thread:
        try:
            coming = thread.submit(next, items, end)
            while (item := _result(coming)) is not end:
                coming = thread.submit(next, items, end)
                yield item
        finally:
            stop()


def _result(coming: Future[T]) -> T:
    """The result, once it is there.

    Waits bit by bit: a signal that comes just before a thread begins to wait does not wake it, and
    Python's handler does not run before something else does.
    """
    while not wait([coming], LONGEST_WAIT).done:
        pass
    return coming.result()
