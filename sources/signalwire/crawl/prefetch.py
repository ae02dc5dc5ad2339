"""Prefetching: the next batch is made in a thread while the consumer writes the one before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from sources.signalwire.errors import Stopped

T = TypeVar("T")

# seconds; see `_Handover.next`
LONGEST_WAIT = 0.5
# items that may wait for the consumer: while it loads, which takes seconds, reading goes on
MOST_WAITING = 3


class _Handover(Generic[T]):
    """Hands items from the producer's thread to the consumer's, in their order."""

    def __init__(self) -> None:
        self._items: queue.Queue[T | _End] = queue.Queue(maxsize=MOST_WAITING)
        self._closed = False

    def put(self, item: T) -> None:
        """Waits until few items wait for the consumer. Stopped if it wants no more."""
        if self._closed:
            raise Stopped("the run is ending")
        self._items.put(item)

    def end(self, error: BaseException | None) -> None:
        """Tells the consumer that nothing follows, unless it wants no more anyway."""
        if not self._closed:
            self._items.put(_End(error))

    def next(self) -> T | _End:
        """The next item.

        Waits bit by bit: a signal that comes just before a thread begins to wait does not wake it,
        and Python's handler does not run before something else does.
        """
        while True:
            try:
                return self._items.get(timeout=LONGEST_WAIT)
            except queue.Empty:
                continue

    def close(self) -> None:
        """Takes no more, and wakes a producer that waits."""
        self._closed = True
        while not self._items.empty():
            self._items.get()


class _End:
    """The end of all items, and what was raised there."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def prefetched(
    produce: Callable[[Callable[[T], None]], Any], stop: Callable[[], None]
) -> Generator[T]:
    """The items that `produce` hands over while it runs in a thread.

    Args:
        produce: Is given a function that takes an item. What it raises is raised to the consumer.
        stop: Makes `produce` end soon, whatever it waits for; called when no more is wanted.
    """
    handover: _Handover[T] = _Handover()

    def run() -> None:
        try:
            produce(handover.put)
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
            handover.end(error)
        else:
            handover.end(None)

    thread = threading.Thread(target=run, name="signalwire-crawl", daemon=True)
    thread.start()
    try:
        while not isinstance(item := handover.next(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stop()
        handover.close()
        thread.join()
