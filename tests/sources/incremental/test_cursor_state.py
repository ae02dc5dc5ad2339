"""How cursors are stored in the pipeline's state."""

from __future__ import annotations

from typing import Any

import pytest

from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.state import dump_cursors, load_cursors

NOON = 1_772_452_800_000_000
CURSOR = Cursor(NOON, "brand", NOON - 1, NOON + 1, frozenset(("abcdefgh",)))


def test_state_goes_there_and_back_and_is_small() -> None:
    state: dict[str, Any] = {}
    dump_cursors({"campaign": CURSOR}, state)
    assert load_cursors(state) == {"campaign": CURSOR}
    # dlt looks at each value of its state, dozens of times a run
    assert isinstance(state["cursors"], str)
    assert len(state["cursors"]) < 100


def test_state_of_the_version_before_goes_on() -> None:
    entry = [*CURSOR[:-1], "".join(sorted(CURSOR.recent))]
    assert load_cursors({"version": 1, "cursors": {"c": entry}}) == {"c": CURSOR}


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"version": 0, "cursors": {"c": [1, "b", 1, 1, ""]}},
        {"version": 1, "cursors": None},
        {"version": 1, "cursors": ["c"]},
        {"version": 1, "cursors": {"c": None}},
        {"version": 1, "cursors": {"c": [1, "b", ""]}},
        {"version": 1, "cursors": {"c": ["1", "b", 1, 1, ""]}},
        {"version": 1, "cursors": {"c": [1, "b", 1, 1, "short"]}},
        {"version": 1, "cursors": '{"c": [1, "b", 1, 1, ""]}'},
        {"version": 2, "cursors": {"c": [1, "b", 1, 1, ""]}},
        {"version": 2, "cursors": None},
        {"version": 2, "cursors": '{"c": [1, "b", 1, 1'},
        {"version": 2, "cursors": '["c"]'},
        {"version": 2, "cursors": '{"c": [1, "b", 1, 1, "short"]}'},
    ],
    ids=str,
)
def test_damaged_state_means_a_full_walk(state: dict[str, Any]) -> None:
    assert load_cursors(state) == {}
