from __future__ import annotations

import pytest

from sources.simulator.rate_limit import RateLimit


def test_it_lets_one_second_worth_of_requests_through_at_once() -> None:
    limit = RateLimit(3)
    assert [limit.wait(10.0) for _ in range(4)] == [0, 0, 0, pytest.approx(1 / 3)]


def test_it_fills_as_time_passes_but_not_above_a_second() -> None:
    limit = RateLimit(2)
    assert [limit.wait(0.0) for _ in range(3)] == [0, 0, 0.5]
    assert limit.wait(0.5) == 0
    assert [limit.wait(99.0) for _ in range(3)] == [0, 0, 0.5]


def test_it_may_be_slower_than_one_a_second() -> None:
    limit = RateLimit(0.1)
    assert [limit.wait(0.0), limit.wait(0.0), limit.wait(10.0)] == [0, 10, 0]


@pytest.mark.parametrize("per_second", [0, -1, float("nan")])
def test_it_has_to_let_something_through(per_second: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        RateLimit(per_second)
