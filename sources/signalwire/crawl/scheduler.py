"""Tasks side by side: their requests in a bounded number of threads, all else in the consumer's."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Generic, TypeAlias, TypeVar

from sources.signalwire.errors import Stopped
from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer

T = TypeVar("T")

# yields requests, to each of which it is sent the answer, and what it found
Task: TypeAlias = Generator[Get | T, Answer, None]
_Sent: TypeAlias = tuple[Task[T], Get]
_Done: TypeAlias = tuple[Task[T], Get, Answer | BaseException]

# Tasks under way for each thread: one request is being made, others wait for their turn or have
# their answer, so that no thread waits for the consumer.
TASKS_EACH = 3


class Workers(Generic[T]):
    """Runs tasks, and yields what they find.

    A task begins when one before it has ended, and waits for one request at a time; an error of
    that is raised in the task. The consumer may submit further tasks while it iterates; iteration
    ends with the last task. What a task raises is raised to the consumer.

    Only requests are made in threads, because those that compute have to queue for Python's
    interpreter, over and over. Answers are decoded many at a time.

    The threads are daemons: one that hangs in a request cannot keep the process alive.
    """

    def __init__(
        self,
        count: int,
        fetch: Callable[[Get], Answer],
        decode: Callable[[Sequence[tuple[Get, Answer]]], Sequence[Answer | None]],
    ) -> None:
        self._fetch = fetch
        self._decode = decode
        self._waiting: deque[Callable[[], Task[T]]] = deque()
        self._under_way = 0
        self._most = TASKS_EACH * count
        self._sent: queue.SimpleQueue[_Sent[T] | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[_Done[T] | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"signalwire-{n}", daemon=True)
            for n in range(1, count + 1)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], Task[T]]) -> None:
        """Adds a task; they are begun in the order in which they were submitted."""
        self._waiting.append(task)

    def __iter__(self) -> Iterator[T]:
        while self._waiting or self._under_way:
            while self._waiting and self._under_way < self._most:
                self._under_way += 1
                yield from self._go_on(self._waiting.popleft()(), None)
            if self._under_way:
                yield from self._take()

    def close(self) -> None:
        """Sends no further request and lets the threads go; what has come is dropped.

        Iteration, if it goes on in another thread, ends with `Stopped`.
        """
        self._closing.set()
        self._done.put(None)
        for _ in self._threads:
            self._sent.put(None)

    def _take(self) -> Iterator[T]:
        """Waits for answers, and goes on with the tasks that waited for them."""
        arrived = self._arrived()
        fetched = [(get, answer) for _, get, answer in arrived if isinstance(answer, Answer)]
        decoded = iter(self._decode(fetched))
        for task, request, outcome in arrived:
            known = next(decoded) if isinstance(outcome, Answer) else outcome
            if known is None:
                # it turned out to be no JSON: read again as one whose JSON is checked at once, by
                # the thread, which tries as often as it may
                self._sent.put((task, request._replace(orders_of=None)))
            else:
                yield from self._go_on(task, known)

    def _arrived(self) -> list[_Done[T]]:
        """Waits for answers; for many, as long as the threads have other requests to make.

        Each step of decoding costs a lot once, however many pages there are.
        """
        enough = self._under_way // TASKS_EACH if self._under_way > len(self._threads) else 1
        arrived = [self._next()]
        while len(arrived) < enough or not self._done.empty():
            arrived.append(self._next())
        return arrived

    def _next(self) -> _Done[T]:
        """The next answer, or error, whosever it is."""
        done = self._done.get()
        if done is None:
            raise Stopped("the run is ending")
        return done

    def _go_on(self, task: Task[T], outcome: Answer | BaseException | None) -> Iterator[T]:
        """Yields what a task finds, up to its next request or its end."""
        try:
            if isinstance(outcome, BaseException):
                step = task.throw(outcome)
            else:
                step = next(task) if outcome is None else task.send(outcome)
            while not isinstance(step, Get):
                yield step
                step = next(task)
        except StopIteration:
            self._under_way -= 1
        else:
            self._sent.put((task, step))

    def _work(self) -> None:
        while (sent := self._sent.get()) is not None and not self._closing.is_set():
            task, request = sent
            try:
                self._done.put((task, request, self._fetch(request)))
            except BaseException as error:  # noqa: BLE001 - raised again where it can be handled
                self._done.put((task, request, error))
