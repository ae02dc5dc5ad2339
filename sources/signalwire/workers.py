"""Tasks side by side in a bounded number of threads, with one consumer, in flat memory."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class _Raised(NamedTuple):
    error: BaseException


class _Finished:
    """Marks the end of one task among the results."""


_FINISHED = _Finished()


class Workers(Generic[T]):
    """Runs tasks, each an iterable made by a function, and yields what they yield.

    The consumer may submit further tasks while it iterates; iteration ends with the last task.
    Results wait in a queue of bounded length, so tasks cannot run ahead of the consumer. The first
    exception of a task is raised to the consumer. Threads are daemons: one that hangs in a request
    cannot keep the process alive.
    """

    def __init__(self, count: int) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], Iterable[T]] | None] = queue.SimpleQueue()
        self._results: queue.Queue[T | _Raised | _Finished] = queue.Queue(maxsize=2 * count)
        self._closing = threading.Event()
        self._open_tasks = 0
        self._threads = [
            threading.Thread(target=self._work, name=f"signalwire-{n}", daemon=True)
            for n in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], Iterable[T]]) -> None:
        """Adds a task; they are begun in the order in which they were submitted."""
        self._open_tasks += 1
        self._tasks.put(task)

    def __iter__(self) -> Iterator[T]:
        while self._open_tasks:
            result = self._results.get()
            if isinstance(result, _Finished):
                self._open_tasks -= 1
            elif isinstance(result, _Raised):
                raise result.error
            else:
                yield result

    def close(self) -> None:
        """Begins no further task and lets the threads go; results not consumed are dropped."""
        self._closing.set()
        for _ in self._threads:
            self._tasks.put(None)

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None and not self._closing.is_set():
            try:
                for result in task():
                    self._hand_over(result)
                    if self._closing.is_set():
                        return
            except BaseException as error:  # noqa: BLE001 - raised again where it can be handled
                self._hand_over(_Raised(error))
                return
            self._hand_over(_FINISHED)

    def _hand_over(self, result: T | _Raised | _Finished) -> None:
        while not self._closing.is_set():
            try:
                self._results.put(result, timeout=0.2)
            except queue.Full:
                continue
            return
