"""Coroutines in one thread, whose requests are made in a bounded number of others.

Only requests are made in threads: what computes would wait for the GIL there, over and over.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, TypeAlias, TypeVar

from sources.signalwire.http.responses import Response

S = TypeVar("S")
R = TypeVar("R")
Walk: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
Send: TypeAlias = "Callable[[str, Mapping[str, str] | None], Response]"
_Sent: TypeAlias = "tuple[str, Mapping[str, str] | None, asyncio.Future[Response]]"

# walks that have no request under way: they wait for their turn, or for their rows
MOST_BESIDES = 16


def walks_for(requests: int) -> int:
    """How many walks are under way, so that none of so many requests waits for the event loop.

    Each walk holds a page in memory.
    """
    return requests + min(requests, MOST_BESIDES)


class RequestPool:
    """Makes blocking requests in threads, for coroutines to await.

    The threads are daemons: one that hangs in a request cannot keep the process alive.
    """

    def __init__(self, threads: int, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[_Sent | None] = queue.SimpleQueue()
        self._threads = threads
        self._under_way = 0
        self.on_response: list[Callable[[], object]] = []
        self._started = 0

    @property
    def is_busy(self) -> bool:
        """Whether every thread has a request to make."""
        return self._under_way >= self._threads

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Response:
        """The response to a request. Raises what sending it raises."""
        future: asyncio.Future[Response] = self._loop.create_future()
        self._under_way += 1
        if self._started < min(self._under_way, self._threads):
            self._started += 1
            name = f"signalwire-{self._started}"
            threading.Thread(target=self._work, name=name, daemon=True).start()
        self._waiting.put((path, params, future))
        return await future

    def close(self) -> None:
        """Lets the threads end; requests that wait for one are not made."""
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        for _ in range(self._started):
            self._waiting.put(None)

    def _work(self) -> None:
        while (sent := self._waiting.get()) is not None:
            path, params, future = sent
            response: Response | BaseException
            try:
                response = self._send(path, params)
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                response = error
            with suppress(RuntimeError):  # the loop has ended meanwhile
                self._loop.call_soon_threadsafe(self._arrived, future, response)

    def _arrived(
        self, future: asyncio.Future[Response], response: Response | BaseException
    ) -> None:
        self._under_way -= 1
        if not future.done():
            if isinstance(response, BaseException):
                _fail(future, response)
            else:
                future.set_result(response)
        # in the next turn but one, when all that have a response by now have gone on
        for call in self.on_response:
            self._loop.call_soon(self._loop.call_soon, call)


class Gathered(Generic[S, R]):
    """A function of many values, awaited with one: what has arrived is computed together.

    While the threads of the pool have requests to make, it waits for `enough` values.
    """

    def __init__(
        self, compute: Callable[[Sequence[S]], Sequence[R]], pool: RequestPool, enough: int
    ) -> None:
        self._compute = compute
        self._pool = pool
        self._enough = enough
        self._waiting: list[tuple[S, asyncio.Future[R]]] = []
        pool.on_response.append(self._check)

    async def of(self, value: S) -> R:
        """What `compute` makes of this value."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._waiting.append((value, future))
        loop.call_soon(self._check)
        return await future

    def _check(self) -> None:
        if self._waiting and (len(self._waiting) >= self._enough or not self._pool.is_busy):
            waiting, self._waiting = self._waiting, []
            futures = [future for _, future in waiting if not future.done()]
            try:
                results = self._compute([value for value, future in waiting if not future.done()])
            except BaseException as error:  # noqa: BLE001 - raised again where it is awaited
                for future in futures:
                    _fail(future, error)
                return
            for future, result in zip(futures, results, strict=True):
                future.set_result(result)


class Scheduler:
    """Runs walks in the order in which they were added, at most `limit` says at a time."""

    def __init__(self, limit: Callable[[], int]) -> None:
        self._limit = limit
        self._waiting: deque[Walk] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._idle = asyncio.Event()

    def add(self, walk: Walk) -> None:
        """Adds a walk, which may add others."""
        self._waiting.append(walk)
        self.fill()

    async def finish(self, seconds: float | None = None) -> bool:
        """Waits until no walk is left, at most for so many seconds; whether none is left.

        Raises what the first of them to fail raised.
        """
        if self._running and self._failure is None:
            self._idle.clear()
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._idle.wait(), seconds)
        if self._failure is not None:
            raise self._failure
        return not self._running

    def close(self) -> None:
        """Starts no further walk."""
        self._waiting.clear()

    def fill(self) -> None:
        """Starts walks up to the limit, which may have risen."""
        while self._waiting and len(self._running) < self._limit() and self._failure is None:
            task = asyncio.ensure_future(self._waiting.popleft()())
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = self._failure or error
        self.fill()
        if not self._running or self._failure is not None:
            self._idle.set()


def _fail(future: asyncio.Future[Any], error: BaseException) -> None:
    future.set_exception(error)
    # asyncio logs errors that are not looked at, also where the waiting task was cancelled
    future.exception()
