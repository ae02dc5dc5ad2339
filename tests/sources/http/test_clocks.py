"""Clocks that are wrong: what one of them says poisons nothing, and what one has said is mended."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone

import pytest
from support import START, SqliteWorkspace, Workspace, true_orders

from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.depth import is_full_walk_due
from sources.signalwire.records.values import microseconds
from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.usefixtures("with_reports")

HOUR = 3_600
DAY = 24 * HOUR
YEAR = 365 * DAY
AHEAD = "Wed, 05 Mar 2036 12:00:00 GMT"
BEHIND = "Sat, 05 Mar 2016 12:00:00 GMT"
DATES = [
    AHEAD,
    BEHIND,
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Fri, 31 Dec 9999 23:59:59 -0100",
    "Mon, 01 Jan 0001 00:00:00 +0100",
    "Sun, 99 Foo 2026 99:99:99 GMT",
    "",
]
# tables and the times in them that the server's clock tells
TIMES = [("orders", "read_at"), ("orders", "deleted_at"), ("runs", "read_at")]
TIMES += [("order_changes", "seen_at"), ("order_changes", "deleted_at")]


def one_answer(path: str, date: str) -> Fault:
    return Fault(path, "headers", headers={"Date": date}, times=1)


def all_answers(date: str) -> Fault:
    return Fault("", "headers", headers={"Date": date})


def times(workspace: Workspace) -> list[datetime]:
    """All times that the server's clock has told."""
    found = []
    for table, column in TIMES:
        rows = workspace.rows(f"SELECT {column} AS seen_at FROM {table}")
        found += [row["seen_at"] for row in rows if row["seen_at"] is not None]
    return found


def as_of(workspace: Workspace) -> datetime:
    if isinstance(workspace, SqliteWorkspace):  # there are no reports
        rows = workspace.rows("SELECT max(read_at) AS as_of_at FROM runs WHERE complete")
        return datetime.fromisoformat(str(rows[0]["as_of_at"]))
    moment = workspace.rows("SELECT as_of FROM signalwire_reports.data_as_of")[0]["as_of"]
    assert isinstance(moment, datetime)
    return moment


def change_and_remove(space: SimulatedSpace) -> None:
    """Two settled orders, which no run looks for within the day: one changes, one vanishes."""
    settled = [order["id"] for *_, order in space.world.truth_orders() if order["processed_at"]]
    space.world.update_order(settled[0], status_callback_url="https://example.com/changed")
    space.world.remove_order(settled[-1])


def require_exact(space: SimulatedSpace, workspace: Workspace, moment: datetime) -> None:
    """What was read is what is served, and all times are of this day."""
    assert workspace.orders() == true_orders(space)
    assert moment <= as_of(workspace) < moment + timedelta(hours=1)
    assert all(START <= told < moment + timedelta(hours=1) for told in times(workspace))


class TestOneAnswer:
    @pytest.mark.proof
    @pytest.mark.parametrize("date", DATES)
    @pytest.mark.parametrize("path", [r"/brands\?", r"/campaigns\?", "/orders"])
    def test_poisons_nothing(
        self, space: SimulatedSpace, workspace: Workspace, path: str, date: str
    ) -> None:
        self._live(space, workspace, path, date)

    @pytest.mark.proof
    @pytest.mark.parametrize("path", [r"/brands\?", "/orders"])
    def test_poisons_nothing_anywhere(
        self, space: SimulatedSpace, everywhere: Workspace, path: str
    ) -> None:
        self._live(space, everywhere, path, AHEAD)

    def _live(self, space: SimulatedSpace, workspace: Workspace, path: str, date: str) -> None:
        for full in (False, True, False):
            space.faults.add(one_answer(path, date))
            assert workspace.run(space, full=full).stats.complete
            require_exact(space, workspace, space.clock.now())
            space.clock.advance(HOUR)
        space.clock.advance(DAY)
        change_and_remove(space)
        space.faults.add(one_answer(path, date))
        assert workspace.run(space).stats.counts()["orders_deleted"] == 1
        require_exact(space, workspace, space.clock.now())
        assert workspace.run(space).stats.counts()["orders_loaded"] == 0

    @pytest.mark.proof
    def test_lets_changes_be_found_that_happen_while_it_is_read(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        order_id = space.world.truth_orders()[0][2]["id"]
        space.clock.advance(HOUR)
        for state in ("pending", "processing", "processed"):
            space.faults.add(one_answer("/orders", AHEAD))
            space.world.update_order(order_id, state=state)
            any_workspace.run(space)
            assert any_workspace.orders() == true_orders(space)
            space.clock.advance(1)


@pytest.mark.proof
class TestAllAnswers:
    """A run whose every answer is wrong; the ones after it recover."""

    @pytest.mark.parametrize("first", [True, False], ids=["first load", "later run"])
    def test_ahead(self, space: SimulatedSpace, everywhere: Workspace, first: bool) -> None:
        if not first:
            everywhere.run(space)
            space.clock.advance(HOUR)
            change_and_remove(space)
        space.faults.add(all_answers(AHEAD))
        everywhere.run(space, full=True)
        assert max(times(everywhere)).year == 2036
        space.faults.clear()
        for seconds in (HOUR, DAY):
            space.clock.advance(seconds)
            change_and_remove(space)
            assert everywhere.run(space).stats.counts()["orders_deleted"] == 1
            require_exact(space, everywhere, space.clock.now())

    def test_ahead_and_then_one_more(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        space.faults.add(all_answers(AHEAD))
        any_workspace.run(space)
        space.faults.clear()
        space.faults.add(one_answer("/orders", AHEAD))
        change_and_remove(space)
        any_workspace.run(space)
        require_exact(space, any_workspace, space.clock.now())

    def test_without_a_change(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        any_workspace.run(space)
        space.clock.advance(60)
        space.faults.add(all_answers(AHEAD))
        any_workspace.run(space)
        space.faults.clear()
        space.clock.advance(60)
        any_workspace.run(space)
        require_exact(space, any_workspace, space.clock.now())

    @pytest.mark.parametrize("full", [True, False])
    def test_behind(self, space: SimulatedSpace, everywhere: Workspace, full: bool) -> None:
        everywhere.run(space)
        before = everywhere.table("order_changes")
        space.clock.advance(HOUR)
        space.faults.add(all_answers(BEHIND))
        everywhere.run(space, full=full)
        space.faults.clear()
        assert everywhere.table("order_changes") == before
        space.clock.advance(DAY)
        change_and_remove(space)
        everywhere.run(space)
        require_exact(space, everywhere, space.clock.now())

    def test_unreadable(self, space: SimulatedSpace, workspace: Workspace) -> None:
        space.faults.add(all_answers("Fri, 31 Dec 9999 23:59:59 GMT"))
        for _ in range(2):
            change_and_remove(space)
            workspace.run(space, full=True)
            assert workspace.orders() == true_orders(space)
        assert max(times(workspace)).year < 3000


@pytest.mark.proof
def test_a_machine_whose_clock_was_wrong(space: SimulatedSpace, any_workspace: Workspace) -> None:
    """Its run's own times lie in the future, and so do those by which dlt finds its state."""
    any_workspace.run(space)
    any_workspace.execute("UPDATE signalwire.runs SET failed_at = started_at")
    columns = ("runs.started_at", "runs.finished_at", "runs.failed_at", "_dlt_version.inserted_at")
    for column in columns:
        table, name = column.split(".")
        later = f"{name} + INTERVAL '10 years'"
        any_workspace.execute(f"UPDATE signalwire.{table} SET {name} = {later}")
    for column in ("_dlt_loads.load_id", "_dlt_pipeline_state._dlt_load_id"):
        table, name = column.split(".")
        any_workspace.execute(f"UPDATE signalwire.{table} SET {name} = concat('9', {name})")
    for number in range(3):
        space.clock.advance(DAY if number == 1 else HOUR)
        order_id = space.world.truth_orders()[number][2]["id"]
        space.world.update_order(order_id, state="pending")
        counts = any_workspace.run(space).stats.counts()
        assert any_workspace.orders() == true_orders(space)
    assert (counts["orders_loaded"], counts["full_walks"]) == (1, 0)
    started = "SELECT started_at, finished_at, coalesce(failed_at, started_at) AS failed_at"
    rows = any_workspace.rows(f"{started} FROM runs")
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    assert len(rows) == 4
    assert all(moment < soon for row in rows for moment in row.values())


@pytest.mark.proof
def test_shards_mend_their_own(
    open_space: Callable[..., SimulatedSpace], postgres_workspace: Workspace
) -> None:
    space = open_space(brands=6)
    shards = [f"{number}/2" for number in (1, 2)]
    space.faults.add(all_answers(AHEAD))
    for shard in shards:
        postgres_workspace.run(space, shard=shard)
    space.faults.clear()
    space.clock.advance(HOUR)
    change_and_remove(space)
    for shard in shards:
        postgres_workspace.run(space, shard=shard)
    require_exact(space, postgres_workspace, space.clock.now())


class TestServerClock:
    """The time that most answers tell."""

    @staticmethod
    def told(clock: ServerClock, *offsets: float) -> float:
        """How far ahead of this machine's clock it is, after answers that far ahead of it."""
        for offset in offsets:
            clock.note(datetime.fromtimestamp(time.time() + offset, timezone.utc))
        return clock.now() / 1e6 - time.time()

    @pytest.mark.parametrize(
        ("offsets", "told"),
        [
            ([], 0),
            ([10 * YEAR], 10 * YEAR),
            ([10 * YEAR, 5], 5),
            ([5, 10 * YEAR], 5),
            ([-10 * YEAR, 5, 10 * YEAR], 5),
            ([10 * YEAR, 10 * YEAR + 5, 0], 10 * YEAR),
            ([0, 10 * YEAR, 10 * YEAR + 5], 10 * YEAR),
            ([0, 10 * YEAR, 10 * YEAR, -1, 2 * YEAR, 1], 0),
            ([-YEAR, -YEAR + 60, 0], -YEAR),
        ],
        ids=str,
    )
    def test_wins(self, offsets: list[float], told: float) -> None:
        assert self.told(ServerClock(), *offsets) == pytest.approx(told, abs=2)

    def test_an_answer_is_believed_if_no_other_contradicts(self) -> None:
        clock, now = ServerClock(), datetime.now(timezone.utc).replace(microsecond=0)
        assert clock.note(None) is None
        assert clock.note(now) == microseconds(now)
        assert clock.note(None) is None
        early = now - timedelta(hours=23)
        assert clock.note(early) == microseconds(early)
        assert clock.note(now) == microseconds(now)
        for absurd in (now + timedelta(hours=2), now - timedelta(days=2), None):
            assert clock.note(absurd) == pytest.approx(microseconds(now), abs=5e6)

    def test_what_it_told_wrongly_does_not_last(self) -> None:
        clock = ServerClock()
        assert self.told(clock, 10 * YEAR) == pytest.approx(10 * YEAR, abs=2)
        clock.stay_ahead_of(now := time.time_ns() // 1000)
        assert self.told(clock, 0) == pytest.approx(0, abs=2)
        assert clock.now() > now

    def test_there_is_a_horizon_once_two_agree(self) -> None:
        clock = ServerClock()
        assert clock.horizon() is None
        self.told(clock, YEAR)
        assert clock.horizon() is None
        self.told(clock, YEAR)
        horizon = clock.horizon()
        assert horizon is not None
        assert horizon / 1e6 - time.time() == pytest.approx(YEAR + HOUR, abs=5)


@pytest.mark.parametrize(
    ("ago", "due"), [(-10 * YEAR, True), (-2 * HOUR, True), (-60, False), (0, False), (DAY, True)]
)
def test_a_full_walk_in_the_future_is_due(ago: int, due: bool) -> None:
    now = 2_000_000_000
    moments = [moment * 1_000_000 for moment in (now - ago, now, DAY)]
    assert is_full_walk_due(*moments) is due
