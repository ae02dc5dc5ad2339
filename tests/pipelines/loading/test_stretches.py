"""Long runs that are loaded in stretches: when they are cut, and that nothing is lost or twice."""

from __future__ import annotations

import shutil
import threading
from typing import Any

import pytest
from support import Workspace, true_orders
from support.at_call import at_call
from support.histories import Killed, cutting

from sources.signalwire.crawl.stretches import (
    FIRST_AFTER,
    MANY_ROWS,
    MOST_ROWS,
    SHORTEST,
    is_due,
)
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.state import Cursors
from sources.simulator import Fault, SimulatedSpace

HOUR = 3600
LOADING = "pipelines.loading.load:normalize_and_load"


@pytest.mark.parametrize(
    ("due", "case"),
    [
        (False, {"elapsed": FIRST_AFTER - 0.1, "since_cut": FIRST_AFTER - 0.1}),
        (True, {"elapsed": FIRST_AFTER, "since_cut": FIRST_AFTER}),
        (False, {"elapsed": 60, "since_cut": SHORTEST - 0.1}),
        (True, {"elapsed": 60, "since_cut": SHORTEST}),
        # a stretch takes several times as long as loading one, unless it has many rows
        (False, {"elapsed": 100, "since_cut": 59, "loading": 10}),
        (True, {"elapsed": 100, "since_cut": 60, "loading": 10}),
        (False, {"elapsed": 100, "since_cut": 9, "loading": 10, "rows": MANY_ROWS}),
        (True, {"elapsed": 100, "since_cut": 10, "loading": 10, "rows": MANY_ROWS}),
        # a kill costs little of what was read
        (False, {"elapsed": 36_000, "since_cut": 1_000}),
        (True, {"elapsed": 36_000, "since_cut": 1_100}),
        (True, {"elapsed": 1, "since_cut": 1, "rows": MOST_ROWS}),
    ],
)
def test_when_it_is_cut(due: bool, case: dict[str, Any]) -> None:
    assert is_due(**{"loading": 0.0, "rows": 1} | case) is due


class TestCursors:
    """Which cursors may be stored in the middle of a run."""

    def test_those_of_campaigns_that_are_not_done_stay_where_they_were(self) -> None:
        old, new = Cursor(1, "brand"), Cursor(2, "brand")
        cursors = Cursors({"a": old, "b": old})
        for campaign in "abcd":
            cursors.advance(campaign, new)
        assert cursors.settled([]) == dict.fromkeys("abcd", new)
        cursors.look_up("b")
        cursors.look_up("b")
        assert cursors.settled(["d"]) == {"a": new, "b": old, "c": new}
        cursors.looked_up("b")
        assert cursors.settled([])["b"] == old
        cursors.looked_up("b")
        assert cursors.settled([])["b"] == new
        assert cursors.after() == dict.fromkeys("abcd", new)

    def test_whether_any_has_moved(self) -> None:
        cursors = Cursors({"a": Cursor(1, "brand")})
        cursors.advance("a", Cursor(1, "brand"))
        assert not cursors.have_moved
        cursors.advance("a", Cursor(2, "brand"))
        assert cursors.have_moved
        cursors.settled([])
        assert not cursors.have_moved


def loads(workspace: Workspace) -> int:
    ((count,),) = [tuple(row.values()) for row in workspace.rows("SELECT count(*) FROM _dlt_loads")]
    return int(count)


def test_a_run_in_stretches_is_like_any_other(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    space.set_latency(100)
    with cutting():
        result = any_workspace.run(space, workers=1, page_size=2)
    assert loads(any_workspace) >= 3
    assert any_workspace.orders() == true_orders(space)
    assert result.stats.mode == "backfill"
    assert result.stats.counts()["orders_loaded"] == len(true_orders(space))
    (run,) = any_workspace.table("runs")
    assert run["complete"]
    assert run["orders_loaded"] == len(true_orders(space))
    changes = any_workspace.table("order_changes")
    assert len({row["order_id"] for row in changes}) == len(changes) == len(true_orders(space))
    # the next one finds nothing to do, and stores nothing but its row
    before = loads(any_workspace)
    with cutting():
        counts = any_workspace.run(space).stats.counts()
    assert (counts["orders_loaded"], counts["full_walks"]) == (0, 0)
    assert loads(any_workspace) == before + 1


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.proof
def test_a_kill_costs_one_stretch(
    space: SimulatedSpace, any_workspace: Workspace, forgets: bool
) -> None:
    def kill() -> None:
        raise Killed

    space.set_latency(100)
    with cutting(), at_call(LOADING, -2, kill), pytest.raises(Killed):
        any_workspace.run(space, workers=1, page_size=2)
    loaded = {row["id"] for row in any_workspace.orders()}
    assert 0 < len(loaded) < len(true_orders(space))
    if forgets:
        shutil.rmtree(any_workspace.folder / "data")
    # one that was loaded and one that was not change meanwhile
    space.clock.advance(HOUR)
    for is_loaded in (True, False):
        some = next(r["id"] for r in true_orders(space) if (r["id"] in loaded) is is_loaded)
        space.world.update_order(some, state="failed")
    counts = any_workspace.run(space).stats.counts()
    assert any_workspace.orders() == true_orders(space)
    assert counts["orders_loaded"] == len(true_orders(space)) - len(loaded) + 1
    # the note of the one that was killed is in that folder
    errors = [row["error"] for row in any_workspace.table("runs") if row["error"]]
    assert len(errors) == (0 if forgets else 1)


@pytest.mark.proof
def test_a_list_that_cannot_be_read_stays_to_be_read(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    space.set_latency(100)
    (campaign, *_) = {campaign for _, campaign, _ in space.world.truth_orders()}
    space.faults.add(Fault(f"/campaigns/{campaign}/orders", "respond", status=404))
    with cutting():
        result = any_workspace.run(space, workers=1, page_size=2)
    assert not result.stats.complete
    missing = [row for row in true_orders(space) if row["campaign_id"] == campaign]
    assert any_workspace.orders() == [r for r in true_orders(space) if r not in missing]
    space.faults.clear()
    assert any_workspace.run(space).stats.counts()["orders_loaded"] == len(missing)


@pytest.mark.proof
def test_orders_that_vanished_are_found_gone_in_stretches_too(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(space)
    space.set_latency(100)
    space.clock.advance(25 * HOUR)
    gone = [row["id"] for row in any_workspace.orders()][::3]
    for order_id in gone:
        space.world.remove_order(order_id)
    space.world.update_order(space.world.truth_orders()[0][2]["id"], state="failed")
    with cutting():
        counts = any_workspace.run(space, workers=1, page_size=2).stats.counts()
    assert counts["orders_deleted"] == len(gone)
    assert any_workspace.alive("orders") == true_orders(space)


@pytest.mark.proof
def test_the_destination_is_asked_before_or_after_loading(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    """A DuckDB file can be open in one way only, and what is half loaded answers wrongly."""
    workspace.run(space)
    space.set_latency(5)
    space.clock.advance(HOUR)
    for _, _, record in space.world.truth_orders():
        space.world.update_order(record["id"], state="failed")
    threads: set[str] = set()
    with cutting(), at_call(
        "pipelines.destinations.existing:ExistingData.of_campaigns", 1,
        lambda: threads.add(threading.current_thread().name),
    ):  # fmt: skip
        workspace.run(space, full=True)
    assert threads == {"signalwire-crawl"}
    assert workspace.orders() == true_orders(space)
