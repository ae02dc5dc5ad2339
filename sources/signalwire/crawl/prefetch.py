"""Prefetching: the next batch is made in a thread while the consumer writes the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from sources.signalwire.errors import Stopped

T = TypeVar("T")

# seconds; see `_next`
LONGEST_WAIT = 0.5
# items that may wait for the consumer: while it loads, which takes seconds, reading goes on
MOST_WAITING = 3


class _End(NamedTuple):
    """The end of all items, and what was raised there."""

    error: BaseException | None = None


def prefetched(
    produce: Callable[[Callable[[T], None]], Any], stop: Callable[[], None]
) -> Generator[T]:
    """The items that `produce` hands over while it runs in a thread, in their order.

    What it raises is raised to the consumer. `stop` makes it end soon, whatever it waits for.
    """
    items: queue.Queue[T | _End] = queue.Queue(maxsize=MOST_WAITING)
    closed = threading.Event()

    def put(item: T | _End) -> None:
        """Waits until few items wait for the consumer. Stopped if it wants no more."""
        if closed.is_set():
            raise Stopped("the run is ending")
        items.put(item)

    def run() -> None:
        end = _End()
        try:
            produce(put)
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
            end = _End(error)
        with suppress(Stopped):
            put(end)

    thread = threading.Thread(target=run, name="signalwire-crawl", daemon=True)
    thread.start()
    try:
        while not isinstance(item := _next(items), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop()
        closed.set()
        # wakes a producer that waits
        while not items.empty():
            items.get()
        thread.join()


def _next(items: queue.Queue[T]) -> T:
    """The next item, waited for bit by bit.

    A signal that comes just before a thread begins to wait does not wake it, and Python's handler
    does not run before something else does.
    """
    while True:
        try:
            return items.get(timeout=LONGEST_WAIT)
        except queue.Empty:
            continue
