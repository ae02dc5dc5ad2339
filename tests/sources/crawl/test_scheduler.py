"""Concurrency: coroutines and the threads that make their requests, and the prefetched batch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from sources.signalwire.crawl.prefetch import MOST_WAITING, prefetched
from sources.signalwire.crawl.scheduler import Gathered, RequestPool, Scheduler, walks_for
from sources.signalwire.errors import Stopped, Unavailable
from sources.signalwire.http.responses import Response

THREADS = 3


class Server:
    """Answers a request for `/n` with n, once it is let; counts what is asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.prompt: set[str] = set()
        self.let = threading.Event()
        self.let.set()

    def send(self, path: str, params: Mapping[str, str] | None) -> Response:
        self.asked.append(path)
        if path not in self.prompt:
            self.let.wait(10)
        if path == "/broken":
            raise Unavailable("it broke")
        return Response(int(path[1:]), path, None, 0)


@pytest.fixture
def server() -> Server:
    return Server()


Body = Callable[[RequestPool, Scheduler], Awaitable[None]]


def crawl(server: Server, body: Body, threads: int = THREADS) -> None:
    """Runs coroutines with a pool and a scheduler, and sees the threads end."""

    async def main() -> None:
        pool, scheduler = RequestPool(threads, server.send), Scheduler(lambda: walks_for(threads))
        try:
            await body(pool, scheduler)
        finally:
            server.let.set()
            scheduler.close()
            pool.close()

    try:
        asyncio.run(main())
    finally:
        for thread in [t for t in threading.enumerate() if t.name.startswith("signalwire-")]:
            thread.join(5)
            assert not thread.is_alive()


class TestScheduler:
    """Walks, and the requests that they await."""

    def test_walks_may_lead_to_further_walks(self, server: Server) -> None:
        seen = []

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def number(n: int) -> None:
                seen.append((await pool.get(f"/{n}")).payload)
                if n:
                    scheduler.add(partial(number, n - 1))

            scheduler.add(partial(number, 20))
            await scheduler.finish()

        crawl(server, body)
        assert seen == list(range(20, -1, -1))

    def test_no_more_are_begun_than_the_threads_can_serve(self, server: Server) -> None:
        begun = 0
        most = walks_for(THREADS)

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def walk() -> None:
                nonlocal begun
                begun += 1
                for n in range(10):
                    await pool.get(f"/{n}")

            server.let.clear()
            for _ in range(100):
                scheduler.add(walk)
            await asyncio.sleep(0)
            assert begun == most
            server.let.set()
            await scheduler.finish()

        crawl(server, body)
        assert begun == 100
        assert len(server.asked) == 1000

    def test_walks_that_wait_long_hold_up_no_other(self, server: Server) -> None:
        server.prompt = {"/2", "/4", "/6"}
        seen: list[Any] = []

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def numbers(*wanted: int) -> None:
                for n in wanted:
                    response = await pool.get(f"/{n}")
                    seen.append(response.payload)
                if wanted[0] == 2:
                    assert seen == [2, 4, 6]
                    server.let.set()

            server.let.clear()
            for _ in range(5):
                scheduler.add(partial(numbers, 8))
            scheduler.add(partial(numbers, 2, 4, 6))
            await scheduler.finish()

        crawl(server, body, threads=6)
        assert seen == [2, 4, 6] + [8] * 5

    def test_an_error_of_a_request_is_raised_where_it_is_awaited(self, server: Server) -> None:
        seen: list[Any] = []

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def careful() -> None:
                try:
                    await pool.get("/broken")
                except Unavailable as error:
                    seen.append(str(error))
                seen.append((await pool.get("/4")).payload)

            scheduler.add(careful)
            await scheduler.finish()

        crawl(server, body)
        assert seen == ["it broke", 4]

    def test_an_error_of_a_walk_ends_all_of_them(self, server: Server) -> None:
        begun = []

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def careless() -> None:
                begun.append(1)
                await pool.get("/broken")

            for _ in range(100):
                scheduler.add(careless)
            await scheduler.finish()

        with pytest.raises(Unavailable, match="it broke"):
            crawl(server, body)
        assert len(begun) < 100

    def test_a_request_that_hangs_keeps_no_crawl_from_ending(self, server: Server) -> None:
        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            async def hanging() -> None:
                await pool.get("/2")

            server.let.clear()
            scheduler.add(hanging)
            task = asyncio.current_task()
            assert task is not None
            asyncio.get_running_loop().call_later(0.1, task.cancel)
            try:
                await scheduler.finish()
            finally:
                assert not server.let.is_set()

        with pytest.raises(asyncio.CancelledError):
            crawl(server, body)


class TestGathered:
    """A function of many values, awaited with one."""

    def test_what_has_arrived_is_computed_together(self, server: Server) -> None:
        computed: list[list[int]] = []
        seen = []

        def doubled(values: Sequence[int]) -> list[int]:
            computed.append([*values])
            return [2 * value for value in values]

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            gathered = Gathered(doubled, pool, 2)

            async def walk(n: int) -> None:
                response = await pool.get(f"/{n}")
                seen.append((n, await gathered.of(response.payload)))

            for n in range(20):
                scheduler.add(partial(walk, n))
            await scheduler.finish()

        crawl(server, body)
        assert sorted(seen) == [(n, 2 * n) for n in range(20)]
        assert len(computed) < 20

    def test_a_single_value_is_computed_once_no_request_is_awaited(self, server: Server) -> None:
        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            gathered = Gathered(list, pool, 100)

            async def walk() -> None:
                response = await pool.get("/7")
                assert await gathered.of(response.payload) == 7

            scheduler.add(walk)
            await scheduler.finish()

        crawl(server, body)

    def test_two_of_one_pool_are_both_computed(self, server: Server) -> None:
        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            both = [Gathered(list, pool, 100) for _ in range(2)]

            async def walk(n: int) -> None:
                response = await pool.get(f"/{n}")
                # the first one's only value waits for its turn while others' requests go on
                assert await both[n > 0].of(response.payload) == n

            for n in range(20):
                scheduler.add(partial(walk, n))
            await asyncio.wait_for(scheduler.finish(), 30)

        crawl(server, body)

    def test_an_error_reaches_all_that_await_it(self, server: Server) -> None:
        failed = []

        def broken(values: Sequence[int]) -> list[int]:
            raise ValueError("it broke")

        async def body(pool: RequestPool, scheduler: Scheduler) -> None:
            gathered = Gathered(broken, pool, 1)

            async def walk() -> None:
                response = await pool.get("/7")
                try:
                    await gathered.of(response.payload)
                except ValueError as error:
                    failed.append(str(error))

            for _ in range(4):
                scheduler.add(walk)
            await scheduler.finish()

        crawl(server, body)
        assert failed == ["it broke"] * 4


class TestPrefetched:
    """The next item is made while the consumer has the one before."""

    def test_all_come_in_order(self) -> None:
        def produce(put: Callable[[int], None]) -> None:
            for n in range(100):
                put(n)

        assert list(prefetched(produce, lambda: None)) == [*range(100)]

    def test_the_next_one_is_made_meanwhile_and_few_others(self) -> None:
        made: list[int] = []
        last = threading.Event()
        most = MOST_WAITING + 2

        def produce(put: Callable[[int], None]) -> None:
            for n in range(1, 10):
                made.append(n)
                if n == most:
                    last.set()
                put(n)

        items = prefetched(produce, lambda: None)
        assert next(items) == 1
        # one is in hand, some wait to be taken, and one is made but cannot be handed over
        assert last.wait(10)
        assert made == [*range(1, most + 1)]
        assert [*items] == [*range(2, 10)]

    def test_an_error_reaches_the_consumer_after_what_came_before_it(self) -> None:
        def produce(put: Callable[[int], None]) -> None:
            put(1)
            raise Unavailable("it broke")

        items = prefetched(produce, lambda: None)
        assert next(items) == 1
        with pytest.raises(Unavailable, match="it broke"):
            next(items)

    @pytest.mark.parametrize("more", [0, 1, 5])
    def test_a_consumer_that_wants_no_more_does_not_wait_for_the_next(self, more: int) -> None:
        stopped = threading.Event()
        ended: list[str] = []

        def produce(put: Callable[[int], None]) -> None:
            try:
                put(1)
                for n in range(more):
                    put(n)
                assert stopped.wait(10)
                put(2)
            except Stopped:
                ended.append("stopped")
                raise

        items = prefetched(produce, stopped.set)
        assert next(items) == 1
        items.close()  # type: ignore[attr-defined]
        assert ended == ["stopped"]
