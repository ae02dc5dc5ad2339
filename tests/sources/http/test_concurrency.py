"""How many requests are under way at a time, played against servers of several kinds."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from typing import NamedTuple

import pytest

from sources.signalwire.http.concurrency import HOLD, MODEST, START, Concurrency

MOST = 64
# a server: from how many requests it has to answer now, and the time, to seconds; None is a 429
Server = Callable[[int, float], "float | None"]


class Played(NamedTuple):
    """What came of a number of requests: all seconds, those refused, and the limits on the way."""

    seconds: float
    refused: int
    limits: list[tuple[float, int]]

    def limits_from(self, moment: float) -> list[int]:
        return [limit for at, limit in self.limits if at >= moment]


def play(server: Server, requests: int, concurrency: Concurrency | None = None) -> Played:
    """Sends requests, each again until it is answered, and one after the other where it waits."""
    concurrency = concurrency or Concurrency(MOST)
    draw = random.Random(1)
    now, left, refused, under_way = 0.0, requests, 0, 0
    ends: list[tuple[float, int, int, float | None]] = []
    limits = [(0.0, concurrency.limit)]
    # those refused are sent again a second later
    pauses: list[float] = []
    while left or ends or pauses:
        while pauses and pauses[0] <= now:
            heapq.heappop(pauses)
            left += 1
        while left and under_way < concurrency.limit:
            left, under_way = left - 1, under_way + 1
            took = server(under_way, now)
            end = now + (0.005 if took is None else took * draw.uniform(0.95, 1.05))
            heapq.heappush(ends, (end, concurrency.round, len(ends), took))
        moments = [ends[0][0]] if ends else []
        if pauses and under_way < concurrency.limit:
            moments.append(pauses[0])
        now = max(now, min(moments or pauses[:1]))
        if not ends or ends[0][0] > now:
            continue
        end, round_, _, took = heapq.heappop(ends)
        if took is None:
            refused += 1
            concurrency.refused(round_, now)
            heapq.heappush(pauses, now + 1)
        else:
            concurrency.answered(round_, took, now, under_way=under_way)
        under_way -= 1
        limits.append((now, concurrency.limit))
    return Played(now, refused, limits)


def fixed(server: Server, requests: int, limit: int) -> float:
    return play(server, requests, Concurrency(limit, adapt=False)).seconds


def constant(under_way: int, now: float) -> float:
    return 0.05


def refuses_beyond_8(under_way: int, now: float) -> float | None:
    return 0.05 if under_way <= 8 else None


def queues_beyond_12(under_way: int, now: float) -> float:
    return 0.05 * max(1, under_way / 12)


def proportional(under_way: int, now: float) -> float:
    return 0.05 * under_way


def test_it_takes_all_of_a_server_that_stays_as_quick() -> None:
    played = play(constant, 5_000)
    # within so many round trips
    assert min(at for at, limit in played.limits if limit == MOST) < 10 * 0.05
    assert played.seconds <= 1.1 * fixed(constant, 5_000, MOST)


@pytest.mark.parametrize("latency", [0.001, 0.05, 2.0])
def test_the_latency_itself_does_not_matter(latency: float) -> None:
    assert play(lambda *_: latency, 2_000).limits[-1][1] == MOST


def test_a_server_that_refuses_more_is_met_there_and_hardly_disturbed() -> None:
    played = play(refuses_beyond_8, 1_250)
    assert played.refused <= 0.02 * 1_250
    assert played.seconds <= 1.2 * fixed(refuses_beyond_8, 1_250, 8)
    assert set(played.limits_from(3)) == {8}


def test_what_was_refused_is_tried_again_ever_more_seldom() -> None:
    played = play(refuses_beyond_8, 100_000)
    assert played.seconds > 10 * HOLD
    assert 5 <= played.refused <= 30

    def grows(under_way: int, now: float) -> float | None:
        return 0.05 if under_way <= 8 or now > 60 else None

    assert play(grows, 100_000).limits[-1][1] > 30


@pytest.mark.parametrize("server", [queues_beyond_12, proportional])
def test_where_requests_only_wait_for_each_other_few_are_under_way(server: Server) -> None:
    played = play(server, 5_000)
    best = min(fixed(server, 5_000, limit) for limit in (4, 8, 12, 16, 32, 64))
    assert played.seconds <= 1.2 * best
    settled = played.limits_from(played.seconds / 2)
    assert max(settled) <= 24
    # no oscillation
    assert max(settled) - min(settled) <= 3


def test_a_server_that_is_slower_for_everybody_loses_nothing() -> None:
    def slower(under_way: int, now: float) -> float:
        return 0.05 if now < 2 else 0.15

    played = play(slower, 5_000)
    assert played.limits[-1][1] == MOST
    assert min(played.limits_from(2)) >= MOST // 2


def test_a_bad_minute_is_ridden_out() -> None:
    concurrency = Concurrency(MOST)
    now = 0.0

    def answers(count: int, *, fail: bool) -> None:
        nonlocal now
        for n in range(count):
            now += 0.005
            if fail and n % 3 == 0:
                concurrency.failed(concurrency.round)
            else:
                concurrency.answered(concurrency.round, 0.05, now, under_way=concurrency.limit)

    answers(1_000, fail=False)
    assert concurrency.limit == MOST
    answers(100, fail=True)
    assert concurrency.limit <= 2
    answers(5_000, fail=False)
    assert concurrency.limit == MOST


def test_one_burst_of_errors_counts_once() -> None:
    concurrency = Concurrency(MOST)
    for _ in range(8):
        concurrency.failed(0)
    assert concurrency.limit == START * 3 // 4
    assert [concurrency.refused(0, 0.0) for _ in range(8)] == [False] * 8
    assert concurrency.limit == START * 3 // 4


def test_a_limit_that_is_not_reached_is_not_raised() -> None:
    concurrency = Concurrency(MOST)
    for _ in range(1_000):
        concurrency.answered(concurrency.round, 0.05, 0.0, under_way=START - 1)
    assert concurrency.limit == START


@pytest.mark.parametrize(("most_reached", "limit"), [(60, MOST), (40, 41), (3, MODEST)])
def test_a_limit_that_this_machine_never_comes_near_is_lowered(
    most_reached: int, limit: int
) -> None:
    concurrency = Concurrency(MOST)
    while concurrency.limit < MOST:
        concurrency.answered(concurrency.round, 0.05, 0.0, under_way=concurrency.limit)
    for n in range(1_000):
        # answers come in bursts: most find few others under way
        under_way = most_reached if n % 20 == 0 else 1
        concurrency.answered(concurrency.round, 0.05, 0.0, under_way=under_way)
    assert limit - 1 <= concurrency.limit <= limit


def test_a_fixed_number_stays() -> None:
    concurrency = Concurrency(10, adapt=False)
    for _ in range(100):
        concurrency.answered(0, 9.0, 0.0, under_way=10)
        concurrency.failed(0)
        assert concurrency.refused(0, 0.0)
    assert concurrency.limit == 10


def test_a_pause_is_asked_for_where_fewer_at_a_time_did_not_help() -> None:
    concurrency = Concurrency(MOST)
    assert not concurrency.refused(concurrency.round, 0.0)
    assert concurrency.refused(concurrency.round, 0.1)
