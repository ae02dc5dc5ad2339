from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import pytest

from sources.simulator import Clock

START = datetime(2024, 7, 29, 12, 0, 0, 123456, tzinfo=timezone.utc)


def test_a_clock_at_speed_0_stands_still() -> None:
    clock = Clock(START, speed=0)
    assert [clock.now(), clock.now()] == [START, START]


def test_it_moves_on_by_hand() -> None:
    clock = Clock(START, speed=0)
    clock.advance(90.5)
    assert clock.now() == START + timedelta(seconds=90.5)


def test_it_runs_as_fast_as_told() -> None:
    clock = Clock(START, speed=1_000_000)
    threading.Event().wait(0.005)
    assert clock.now() >= START + timedelta(seconds=5_000)


def test_a_change_of_speed_does_not_make_it_jump() -> None:
    clock = Clock(START, speed=0)
    threading.Event().wait(0.005)
    clock.set_speed(1_000_000_000)
    clock.set_speed(0)
    halted = clock.now()
    assert halted >= START
    assert clock.now() == halted


def test_it_starts_now_and_in_utc_by_default() -> None:
    before = datetime.now(timezone.utc)
    now = Clock().now()
    assert before - timedelta(milliseconds=1) <= now <= datetime.now(timezone.utc)
    assert now.tzinfo is timezone.utc


def test_a_start_in_another_zone_is_the_same_moment() -> None:
    clock = Clock(START.astimezone(timezone(timedelta(hours=5))), speed=0)
    assert clock.now().isoformat() == START.isoformat()


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), 1e12])
def test_it_refuses_steps_that_are_none(seconds: float) -> None:
    clock = Clock(START, speed=0)
    with pytest.raises(ValueError, match="clock"):
        clock.advance(seconds)
    assert clock.now() == START


@pytest.mark.parametrize("speed", [-1, float("nan"), float("inf")])
def test_it_refuses_speeds_that_are_none(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Clock(START, speed=speed)
    with pytest.raises(ValueError, match="speed"):
        Clock(START).set_speed(speed)


def test_it_refuses_a_start_without_a_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        Clock(START.replace(tzinfo=None))
