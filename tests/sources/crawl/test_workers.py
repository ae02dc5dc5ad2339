"""What goes on side by side: requests in threads, and the next batch ahead of the one in hand."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from sources.signalwire.crawl.prefetch import one_ahead
from sources.signalwire.crawl.scheduler import TASKS_EACH, Workers
from sources.signalwire.errors import Stopped, Unavailable
from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer
from sources.signalwire.records.convert import Origin


class Server:
    """Answers a request for `/n` with n, once it is let; counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.prompt: set[str] = set()
        self.let = threading.Event()
        self.let.set()

    def fetch(self, request: Get) -> Answer:
        self.asked.append(request.path)
        if request.path not in self.prompt:
            self.let.wait(10)
        if request.path == "/broken":
            raise Unavailable("it broke")
        payload: Any = int(request.path[1:])
        # as the body of a page, which has to be decoded, unless it is asked for otherwise
        return Answer(str(payload).encode() if request.orders_of else payload, "", None, 0)


def decode_numbers(fetched: Sequence[tuple[Get, Answer]]) -> list[Answer | None]:
    """Odd numbers are taken for broken, where they have not been decoded yet."""
    return [
        answer._replace(payload=int(answer.payload))
        if int(answer.payload) % 2 == 0
        else None
        if isinstance(answer.payload, bytes)
        else answer
        for _, answer in fetched
    ]


class TestWorkers:
    """Tasks side by side."""

    @pytest.fixture
    def server(self) -> Server:
        return Server()

    @pytest.fixture
    def workers(self, server: Server) -> Iterator[Workers[Any]]:
        workers: Workers[Any] = Workers(3, server.fetch, decode_numbers)
        yield workers
        server.let.set()
        workers.close()
        for thread in workers._threads:
            thread.join(5)
            assert not thread.is_alive()

    def test_tasks_may_lead_to_further_tasks(self, workers: Workers[Any]) -> None:
        def number(n: int) -> Generator[Any, Answer, None]:
            answer = yield Get(f"/{n}")
            yield answer.payload

        workers.submit(lambda: number(20))
        seen = []
        for n in workers:
            seen.append(n)
            if n:
                workers.submit(partial(number, n - 1))
        assert seen == list(range(20, -1, -1))

    def test_no_more_are_begun_than_the_threads_can_serve(
        self, server: Server, workers: Workers[Any]
    ) -> None:
        begun = 0

        def endless() -> Generator[Any, Answer, None]:
            nonlocal begun
            begun += 1
            yield begun
            for n in range(10):
                yield Get(f"/{n}")

        for _ in range(100):
            workers.submit(endless)
        server.let.clear()
        findings = iter(workers)
        most = TASKS_EACH * 3
        assert [next(findings) for _ in range(most)] == list(range(1, most + 1))
        server.let.set()
        assert list(findings) == list(range(most + 1, 101))
        assert len(server.asked) == 1000

    def test_tasks_that_wait_long_hold_up_no_other(self, server: Server) -> None:
        def numbers(*wanted: int) -> Generator[Any, Answer, None]:
            for n in wanted:
                answer = yield Get(f"/{n}")
                yield answer.payload

        server.let.clear()
        server.prompt = {"/2", "/4", "/6"}
        workers: Workers[Any] = Workers(6, server.fetch, decode_numbers)
        for _ in range(5):
            workers.submit(partial(numbers, 8))
        workers.submit(partial(numbers, 2, 4, 6))
        findings = iter(workers)
        assert [next(findings) for _ in range(3)] == [2, 4, 6]
        assert not server.let.is_set()
        server.let.set()
        assert list(findings) == [8] * 5
        workers.close()

    def test_an_error_of_a_request_is_raised_in_its_task(self, workers: Workers[Any]) -> None:
        def careful() -> Generator[Any, Answer, None]:
            try:
                yield Get("/broken")
            except Unavailable as error:
                yield str(error)
            answer = yield Get("/4")
            yield answer.payload

        workers.submit(careful)
        assert list(workers) == ["it broke", 4]

    def test_an_error_of_a_task_reaches_the_consumer(self, workers: Workers[Any]) -> None:
        def careless() -> Generator[Any, Answer, None]:
            yield Get("/broken")

        workers.submit(careless)
        with pytest.raises(Unavailable, match="it broke"):
            list(workers)

    def test_a_page_that_is_no_json_after_all_is_read_again(
        self, server: Server, workers: Workers[Any]
    ) -> None:
        def pages() -> Generator[Any, Answer, None]:
            for n in (6, 7):
                answer = yield Get(f"/{n}", None, Origin("/"))
                yield answer.payload

        workers.submit(pages)
        assert list(workers) == [6, 7]
        assert server.asked == ["/6", "/7", "/7"]

    def test_closing_ends_the_iteration_of_another_thread(
        self, server: Server, workers: Workers[Any]
    ) -> None:
        """Though a request hangs."""

        def hanging() -> Generator[Any, Answer, None]:
            yield Get("/2")

        server.let.clear()
        workers.submit(hanging)
        threading.Timer(0.1, workers.close).start()
        with pytest.raises(Stopped):
            list(workers)
        assert not server.let.is_set()


class TestOneAhead:
    """One item is made while the consumer has the one before."""

    def test_all_come_in_order(self) -> None:
        assert list(one_ahead((n for n in range(100)), lambda: None)) == [*range(100)]

    def test_the_next_one_is_made_meanwhile_and_no_other(self) -> None:
        made: list[int] = []
        two = threading.Event()

        def numbers() -> Generator[int, None, None]:
            for n in range(1, 5):
                made.append(n)
                if n == 2:
                    two.set()
                yield n

        ahead = one_ahead(numbers(), lambda: None)
        assert next(ahead) == 1
        assert two.wait(10)
        assert made == [1, 2]
        assert [*ahead] == [2, 3, 4]

    def test_an_error_reaches_the_consumer_after_what_came_before_it(self) -> None:
        def broken() -> Generator[int, None, None]:
            yield 1
            raise Unavailable("it broke")

        ahead = one_ahead(broken(), lambda: None)
        assert next(ahead) == 1
        with pytest.raises(Unavailable, match="it broke"):
            next(ahead)

    def test_a_consumer_that_wants_no_more_does_not_wait_for_the_next(self) -> None:
        stopped = threading.Event()
        ended: list[str] = []

        def endless() -> Generator[int, None, None]:
            try:
                yield 1
                assert stopped.wait(10)
                ended.append("as it was told")
                yield 2
            finally:
                ended.append("wholly")

        items = endless()
        ahead = one_ahead(items, stopped.set)
        assert next(ahead) == 1
        ahead.close()
        assert ended == ["as it was told", "wholly"]
