"""Number assignments: only changes are loaded, what vanished is marked, and `auto` reads little."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import Workspace, true_numbers

from sources.signalwire.errors import ConfigurationError
from sources.simulator import Fault, SimulatedSpace

HOUR, DAY = 3600, 24 * 3600
OpenSpace = Callable[..., SimulatedSpace]


@pytest.fixture
def settled(open_space: OpenSpace) -> SimulatedSpace:
    """A space where nothing is under way: the orders are old, and all assignments completed."""
    space = open_space(brands=2, campaigns=3, orders=4, numbers=3, arrivals_per_day=0)
    for _, _, order in space.world.truth_orders():
        space.world.update_order(order["id"], state="processed")
    for _, _, number in space.world.truth_numbers():
        space.world.update_number(number["id"], state="completed")
    space.clock.advance(30 * HOUR)
    return space


def lists_read(space: SimulatedSpace) -> list[str]:
    """The campaigns whose assignments were asked for, since this was asked last."""
    paths = [entry.path for entry in space.journal.entries() if entry.path.endswith("/numbers")]
    space.journal.clear()
    return sorted({path.split("/")[-2] for path in paths})


def number(workspace: Workspace, number_id: str) -> dict[str, Any]:
    return next(r for r in workspace.table("number_assignments") if r["id"] == number_id)


def history(workspace: Workspace, number_id: str) -> list[tuple[str, bool]]:
    """The states that an assignment was seen in, and whether it was deleted, in order."""
    changes = workspace.table("number_assignment_changes")
    ours = [row for row in changes if row["number_assignment_id"] == number_id]
    ours.sort(key=lambda row: (row["seen_at"], row["updated_at"]))
    return [(row["state"], row["deleted_at"] is not None) for row in ours]


def test_only_changes_are_loaded(settled: SimulatedSpace, any_workspace: Workspace) -> None:
    any_workspace.run(settled, number_assignments=True)
    changed = settled.world.truth_numbers()[0][2]
    settled.clock.advance(HOUR)
    quiet = any_workspace.run(settled, number_assignments=True).stats.counts()
    assert (quiet["numbers_seen"], quiet["numbers_loaded"]) == (len(true_numbers(settled)), 0)
    settled.world.update_number(changed["id"], state="failed")
    settled.clock.advance(HOUR)
    counts = any_workspace.run(settled, number_assignments=True).stats.counts()
    assert counts["numbers_loaded"] == 1
    assert any_workspace.alive("number_assignments") == true_numbers(settled)
    assert history(any_workspace, changed["id"]) == [(changed["state"], False), ("failed", False)]


def test_one_that_two_readings_lack_is_marked_as_deleted(
    settled: SimulatedSpace, any_workspace: Workspace
) -> None:
    any_workspace.run(settled, number_assignments=True)
    gone = settled.world.truth_numbers()[0][2]
    settled.world.remove_number(gone["id"])
    settled.clock.advance(HOUR)
    first = settled.clock.now()
    any_workspace.run(settled, number_assignments=True)
    row = number(any_workspace, gone["id"])
    assert row["deleted_at"] is None
    assert abs((row["missing_since"] - first).total_seconds()) < 5
    settled.clock.advance(HOUR)
    counts = any_workspace.run(settled, number_assignments=True).stats.counts()
    assert counts["numbers_deleted"] == 1
    row = number(any_workspace, gone["id"])
    assert abs((row["deleted_at"] - first).total_seconds() - HOUR) < 5
    assert any_workspace.alive("number_assignments") == true_numbers(settled)
    for _ in range(2):
        settled.clock.advance(HOUR)
        counts = any_workspace.run(settled, number_assignments=True).stats.counts()
        assert (counts["numbers_loaded"], counts["numbers_deleted"]) == (0, 0)
    assert history(any_workspace, gone["id"]) == [(gone["state"], False), (gone["state"], True)]

    settled.world.restore_number(gone["id"])
    settled.clock.advance(HOUR)
    any_workspace.run(settled, number_assignments=True)
    row = number(any_workspace, gone["id"])
    assert (row["missing_since"], row["deleted_at"]) == (None, None)
    assert any_workspace.alive("number_assignments") == true_numbers(settled)


@pytest.mark.proof
def test_an_answer_that_lacks_them_once_deletes_nothing(
    settled: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(settled, number_assignments=True)
    for times in (1, 0):
        settled.clock.advance(HOUR)
        if times:
            settled.faults.add(
                Fault("/numbers", "respond", status=200, body={"links": {}, "data": []})
            )
        result = workspace.run(settled, number_assignments=True)
        assert result.stats.counts()["numbers_deleted"] == 0
        missing = [row["missing_since"] for row in workspace.table("number_assignments")]
        assert all(missing) if times else not any(missing)
        settled.faults.clear()
    assert workspace.alive("number_assignments") == true_numbers(settled)


@pytest.mark.proof
def test_a_list_that_cannot_be_read_says_nothing(
    settled: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(settled, number_assignments=True)
    settled.world.remove_number(settled.world.truth_numbers()[0][2]["id"])
    settled.faults.add(Fault("/numbers", "respond", status=404))
    for _ in range(3):
        settled.clock.advance(HOUR)
        assert not workspace.run(settled, number_assignments=True).stats.complete
    assert not any(row["missing_since"] for row in workspace.table("number_assignments"))


@pytest.mark.proof
def test_one_in_another_campaigns_list_has_moved_there(
    settled: SimulatedSpace, workspace: Workspace
) -> None:
    """Whichever of the two lists is read first."""
    workspace.run(settled, number_assignments=True)
    numbers = settled.world.truth_numbers()
    for (_, campaign, moved), (_, other, there) in (
        (numbers[0], numbers[-1]),
        (numbers[-1], numbers[0]),
    ):
        settled.faults.add(
            Fault(f"{campaign}/numbers", "respond", status=200, body={"links": {}, "data": []})
        )
        settled.clock.advance(HOUR)
        workspace.run(settled, number_assignments=True)
        assert number(workspace, moved["id"])["missing_since"] is not None
        settled.faults.add(
            Fault(f"{other}/numbers", "respond", status=200,
                  body={"links": {}, "data": [{**moved, "campaign_id": other}, there]})
        )  # fmt: skip
        for _ in range(3):
            settled.clock.advance(HOUR)
            workspace.run(settled, number_assignments=True)
            changes = [is_gone for _, is_gone in history(workspace, moved["id"])]
            assert changes == [False]
            row = number(workspace, moved["id"])
            assert (row["campaign_id"], row["missing_since"], row["deleted_at"]) == (
                other, None, None,
            )  # fmt: skip
        settled.faults.clear()
        for _ in range(2):
            settled.clock.advance(HOUR)
            workspace.run(settled, number_assignments=True)
        assert workspace.alive("number_assignments") == true_numbers(settled)


@pytest.mark.proof
def test_fields_that_the_api_adds_are_kept_when_assignments_vanish(
    settled: SimulatedSpace, any_workspace: Workspace
) -> None:
    """Of a list that lacks one, and of a campaign that is gone, in the same run."""
    (_, _, first), *_, (_, campaign, _) = settled.world.truth_numbers()
    for _, _, record in settled.world.truth_numbers():
        settled.world.update_number(record["id"], carrier="one")
    any_workspace.run(settled, number_assignments=True)
    settled.world.remove_number(first["id"])
    settled.clock.advance(HOUR)
    any_workspace.run(settled, number_assignments=True)
    settled.world.remove_campaign(campaign)
    settled.clock.advance(HOUR)
    any_workspace.run(settled, number_assignments=True)
    rows = any_workspace.table("number_assignments")
    assert {row["carrier"] for row in rows} == {"one"}
    gone = {row["id"] for row in rows if row["deleted_at"]}
    assert gone == {first["id"], *(row["id"] for row in rows if row["campaign_id"] == campaign)}


@pytest.mark.parametrize("mode", ["auto", True, False], ids=str)
def test_those_of_a_campaign_that_is_gone_are_gone(
    settled: SimulatedSpace, workspace: Workspace, mode: bool | str
) -> None:
    workspace.run(settled, number_assignments=True)
    _, campaign, _ = settled.world.truth_numbers()[0]
    settled.world.remove_campaign(campaign)
    settled.clock.advance(HOUR)
    workspace.run(settled, number_assignments=mode)
    assert workspace.alive("number_assignments") == true_numbers(settled)
    settled.world.restore_campaign(campaign)
    settled.clock.advance(HOUR)
    workspace.run(settled, number_assignments=mode or "auto")
    assert workspace.alive("number_assignments") == true_numbers(settled)


class TestAuto:
    """`auto` reads the lists of campaigns where something may have changed."""

    def test_a_quiet_space_costs_no_request_more(
        self, settled: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(settled, number_assignments="auto")
        assert len(lists_read(settled)) == 6
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert lists_read(settled) == []
        settled.clock.advance(25 * HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert len(lists_read(settled)) == 6

    @pytest.mark.parametrize("state", ["failed", "pending", "strange"])
    @pytest.mark.proof
    def test_an_assignment_that_is_not_completed(
        self, settled: SimulatedSpace, any_workspace: Workspace, state: str
    ) -> None:
        _, campaign, record = settled.world.truth_numbers()[0]
        settled.world.update_number(record["id"], state=state)
        any_workspace.run(settled, number_assignments="auto")
        lists_read(settled)
        for _ in range(2):
            settled.clock.advance(HOUR)
            any_workspace.run(settled, number_assignments="auto")
            assert lists_read(settled) == [campaign]
        settled.world.update_number(record["id"], state="completed")
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert any_workspace.alive("number_assignments") == true_numbers(settled)
        lists_read(settled)
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert lists_read(settled) == []

    @pytest.mark.proof
    def test_an_order_that_is_open_or_changed_within_a_day(
        self, settled: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(settled, number_assignments="auto")
        campaign = settled.world.truth_campaigns()[0][1]["id"]
        order = settled.world.add_order(campaign, state="pending")
        lists_read(settled)
        for _ in range(2):
            settled.clock.advance(HOUR)
            any_workspace.run(settled, number_assignments="auto")
            assert lists_read(settled) == [campaign]
        settled.world.update_order(order, state="processed")
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        # it appears after its order is processed
        settled.world.add_number(campaign, state="completed")
        settled.clock.advance(20 * HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert any_workspace.alive("number_assignments") == true_numbers(settled)

    @pytest.mark.proof
    def test_one_that_is_missing_once(
        self, settled: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(settled, number_assignments="auto")
        gone = settled.world.truth_numbers()[0][2]
        settled.world.remove_number(gone["id"])
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto", full=True)
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert number(any_workspace, gone["id"])["deleted_at"]

    @pytest.mark.proof
    def test_switched_on_later_it_reads_all_at_once(
        self, settled: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(settled)
        settled.clock.advance(HOUR)
        any_workspace.run(settled, number_assignments="auto")
        assert any_workspace.alive("number_assignments") == true_numbers(settled)

    @pytest.mark.proof
    def test_a_list_that_failed_is_read_again(
        self, settled: SimulatedSpace, workspace: Workspace
    ) -> None:
        campaign = settled.world.truth_campaigns()[0][1]["id"]
        settled.faults.add(Fault(f"{campaign}/numbers", "respond", status=404))
        assert not workspace.run(settled, number_assignments="auto").stats.complete
        settled.faults.clear()
        settled.clock.advance(HOUR)
        workspace.run(settled, number_assignments="auto")
        assert workspace.alive("number_assignments") == true_numbers(settled)

    def test_from_the_environment(self, settled: SimulatedSpace, workspace: Workspace) -> None:
        for value, read in {"auto": 6, "true": 6, "FALSE": 0}.items():
            done = workspace.command(
                "run", "--full", space=settled,
                SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS=value,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert len(lists_read(settled)) == read
            assert ("loaded, 18 seen" in done.stdout) == bool(read)

    @pytest.mark.parametrize(("value", "read"), [("true", 6), ("'auto'", 6), ("false", 0)])
    def test_from_a_settings_file(
        self, settled: SimulatedSpace, workspace: Workspace, value: str, read: int
    ) -> None:
        (workspace.folder / ".dlt").mkdir()
        settings = f"[sources.signalwire]\nnumber_assignments = {value}\n"
        (workspace.folder / ".dlt" / "config.toml").write_text(settings)
        done = workspace.command("run", space=settled)
        assert done.returncode == 0, done.stderr
        assert len(lists_read(settled)) == read

    def test_another_word_is_refused(self, settled: SimulatedSpace, workspace: Workspace) -> None:
        with pytest.raises(ConfigurationError, match="has to be true, false or 'auto'"):
            workspace.run(settled, number_assignments="sometimes")
        assert settled.journal.requests == 0
