from __future__ import annotations

import random
from collections import Counter
from statistics import median

import pytest

from sources.simulator.lifecycle import Schedule, Temper, draw_schedule, draw_temper, state_at

TEMPER = Temper(median_seconds=3600, failure_rate=0.1)


def drawn(count: int, temper: Temper = TEMPER, digits: int = 3) -> list[Schedule]:
    rng = random.Random(1)
    return [draw_schedule(rng, temper, digits) for _ in range(count)]


def test_every_life_is_one_of_five() -> None:
    lives = Counter(tuple(state for _, state in schedule) for schedule in drawn(20_000))
    assert set(lives) == {
        ("pending",),
        ("pending", "processing"),
        ("pending", "processing", "processed"),
        ("pending", "processing", "failed"),
        ("pending", "processing", "failed", "processed"),
    }
    assert lives.most_common(1)[0][0] == ("pending", "processing", "processed")


def test_lives_begin_at_0_and_steps_follow_each_other() -> None:
    for schedule in drawn(2_000) + drawn(2_000, Temper(2, 0.5), digits=0):
        offsets = [offset for offset, _ in schedule]
        assert offsets[0] == 0
        assert offsets == sorted(set(offsets))


def test_half_of_the_orders_are_done_within_the_median_and_some_take_far_longer() -> None:
    ends = [schedule[2][0] for schedule in drawn(5_000) if len(schedule) > 2]
    assert median(ends) == pytest.approx(TEMPER.median_seconds, rel=0.05)
    assert sum(ends) / len(ends) > 1.15 * median(ends)


def test_tempers_range_from_minutes_to_a_day() -> None:
    rng = random.Random(1)
    medians = [draw_temper(rng).median_seconds for _ in range(1_000)]
    assert 600 <= min(medians) < 700
    assert 80_000 < max(medians) <= 86_400


@pytest.mark.parametrize(
    ("age", "state"),
    [
        pytest.param(0, "pending", id="born"),
        pytest.param(9.999, "pending", id="just before a step"),
        pytest.param(10, "processing", id="at a step"),
        pytest.param(21, "failed", id="after a step"),
        pytest.param(1e9, "processed", id="for ever"),
    ],
)
def test_state_at(age: float, state: str) -> None:
    life = ((0.0, "pending"), (10.0, "processing"), (20.0, "failed"), (30.0, "processed"))
    assert state_at(life, age) == state
