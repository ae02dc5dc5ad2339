"""The steps of a history, and how they are drawn at random for `histories.py`."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

from sources.simulator import Fault
from support.misfortunes import faults

STATES = ("pending", "processing", "processed", "failed", "reviewing")


class Change(NamedTuple):
    """Something happens in the space, `after` so many seconds.

    `which` picks the brand, campaign or order that it happens to.
    """

    what: str
    which: int = 0
    state: str = "processed"
    after: int = 0


class Wait(NamedTuple):
    """Time goes by."""

    seconds: int


class Run(NamedTuple):
    """A run, and what it meets.

    `page_cap` is the most that the server puts on a page, whatever it is asked for.
    `during` are changes, each before the answer to a certain request; `dies_at` is the step at
    which, and the time at which, it is killed there. `numbers` are number assignments. One that
    `cuts` loads whatever it has as often as it can.
    """

    full: bool = False
    numbers: bool | str = False
    page_size: int = 1000
    page_cap: int = 1000
    workers: int = 3
    cuts: bool = False
    faults: tuple[Fault, ...] = ()
    during: tuple[tuple[int, Change], ...] = ()
    dies_at: tuple[str, int] | None = None
    machine: int = 0
    forgets: bool = False

    @property
    def quiet(self) -> bool:
        return not (self.faults or self.during or self.dies_at)


Step = Change | Wait | Run

# where a run can die, from the first row to the last bookkeeping
DEATHS = {
    "reading": "sources.signalwire.records.buffers:RowBuffer.add",
    "read": "sources.signalwire.crawl.run_record:RunRecord.end",
    "extracted": "dlt.pipeline.pipeline:Pipeline.normalize",
    "normalized": "dlt.pipeline.pipeline:Pipeline.load",
    "schema": "dlt.load.load:Load.load_single_package",
    "jobs": "dlt.load.load:Load.complete_jobs",
    "loaded": "dlt.load.load:Load.complete_package",
}

_whichs = st.integers(0, 40)
changes = st.builds(
    Change,
    st.sampled_from(
        ["move"] * 6
        + ["add"] * 3
        + ["spoil", "share", "vanish", "return", "campaign", "brand", "gone", "back"]
        + ["number", "number_new", "number_gone", "number_back", "approve"]
    ),
    _whichs,
    st.sampled_from(STATES),
    st.sampled_from([0, 0, 1, 20, 400]),
)
waits = st.builds(Wait, st.sampled_from([1, 90, 3_600, 3_600, 26 * 3_600, 31 * 24 * 3_600]))
runs = st.builds(
    Run,
    full=st.sampled_from([False, False, True]),
    numbers=st.sampled_from([False, "auto", True]),
    page_size=st.sampled_from([1, 2, 3, 5, 1000]),
    page_cap=st.sampled_from([1, 3, 1000, 1000]),
    workers=st.sampled_from([1, 3]),
    cuts=st.sampled_from([False, False, True]),
    faults=st.one_of(st.just(()), st.tuples(faults)),
    during=st.one_of(
        st.just(()),
        st.lists(st.tuples(st.integers(2, 12), changes), min_size=2, max_size=6).map(tuple),
    ),
    dies_at=st.one_of(
        st.none(),
        st.none(),
        st.tuples(st.sampled_from(sorted(DEATHS)), st.integers(1, 4)),
    ),
    machine=st.sampled_from([0, 0, 1]),
    forgets=st.sampled_from([False, False, False, True]),
)
# orders that move while they are being read are what most extractors lose: every history has them
_moves = st.builds(
    Change, st.just("move"), _whichs, st.sampled_from(STATES), st.sampled_from([1, 20, 400])
)
busy_runs = st.builds(
    lambda page_size, during: Run(page_size=page_size, during=during),
    st.sampled_from([2, 1000]),
    st.lists(st.tuples(st.integers(3, 8), _moves), min_size=4, max_size=8).map(tuple),
)
histories = st.builds(
    lambda steps, busy: [*steps, busy],
    st.lists(st.one_of(changes, changes, waits, runs), max_size=5),
    busy_runs,
)
