"""The dashboard in a real browser: what it shows, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support import Workspace
from support.chromium import MISSING, find
from support.dashboards import CAMPAIGN_NAMES, OpenPage, campaign_ids, loaded, reports

from pipelines.dashboard.data import Dashboard
from pipelines.dashboard.formats import NONE, hours, number, percent
from pipelines.dashboard.page import render
from sources.simulator import Fault, SimulatedSpace


def test_a_browser_was_found() -> None:
    if not find():
        pytest.fail(MISSING, pytrace=False)


class TestPage:
    """What a person sees."""

    def test_it_opens_quietly_and_asks_for_nothing(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage, tmp_path: Path
    ) -> None:
        workspace.run(space)
        page = open_page()
        assert page.texts("h1, main h2") == [
            "10DLC number assignment orders",
            "Open now",
            "Processed in 7 days",
            "Median, processed orders",
            "p90, processed orders",
            f"Within {hours(24)}",
            "Median and 90th percentile by week of creation",
            "Orders still waiting after some time",
            "How long processed orders took",
            "Arrived, processed and left open",
            "Open orders by age",
            "Processed within each target",
            "Campaigns, slowest first",
            "Stuck orders, the oldest first",
        ]
        assert page.texts("#as-of") == [
            "As of 2 March 2026, 12:00 UTC · 48 orders in 4 campaigns · dataset signalwire"
        ]
        assert page.complaints() == []
        assert page.requests() == [(tmp_path / "page.html").as_uri()]

    def test_the_tiles_say_what_the_reports_say(
        self, space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage
    ) -> None:
        any_workspace.run(space)
        (summary,) = reports(any_workspace, "SELECT * FROM @processing_time_summary")
        (target,) = reports(
            any_workspace, "SELECT * FROM @target_attainment WHERE target_hours = 24"
        )
        orders = reports(any_workspace, "SELECT status, left_at FROM @order_processing")
        week = summary["as_of"] - timedelta(days=7)
        recent = [o for o in orders if o["status"] == "processed" and o["left_at"] > week]
        page = open_page()
        assert page.texts(".tile .value") == [
            number(summary["open"]),
            number(len(recent)),
            hours(summary["median_hours"]),
            hours(summary["p90_hours"]),
            percent(target["share_within"]),
        ]
        median, p90 = page.texts("#tile-median p:last-child, #tile-p90 p:last-child")
        assert median.startswith(f"{hours(summary['median_hours_all'])} of all")
        assert p90.startswith(f"{hours(summary['p90_hours_all'], 'not yet known')} of all")
        (stuck,) = reports(any_workspace, "SELECT count(*) AS orders FROM @stuck_orders")
        assert page.texts("#tile-open p:last-child")[0].startswith(f"{stuck['orders']} stuck")
        assert len(page.texts("#stuck-table tbody tr")) == stuck["orders"]

    def test_the_oldest_stuck_order_is_one_of_the_stuck(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        board = loaded()
        (stuck,) = reports(any_workspace, "SELECT max(age_hours) AS age FROM @stuck_orders")
        # an open order that is older, and not stuck: its campaign is usually slow
        older = board.backlog[-1]._replace(oldest=99_999.0)
        html = tiles(replace(board, backlog=[*board.backlog, older]))
        assert f"stuck, the oldest {hours(stuck['age'])}" in html
        assert ", the oldest" not in tiles(replace(board, stuck=[]))

    def test_at_night_it_is_dark(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        background = "getComputedStyle(document.body).backgroundColor"
        light, dark = (open_page(media=media).run(background) for media in ("light", "dark"))
        assert (light, dark) == ("rgb(246, 247, 248)", "rgb(18, 22, 26)")

    @pytest.mark.parametrize("width", [390, 700, 1280])
    def test_it_fits_the_screen(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage, width: int
    ) -> None:
        space.world.update_campaign(campaign_ids(space)[0], name="W" * 300)
        workspace.run(space)
        page = open_page(width=width)
        assert page.run("document.documentElement.scrollWidth") <= width
        shown = page.run(
            "Array.from(document.querySelectorAll('svg')).filter(e => e.checkVisibility())"
            ".map(e => e.getAttribute('class'))"
        )
        assert shown == ["narrow" if width == 390 else "wide"] * 6
        # letters do not shrink with the picture
        assert (
            page.run(
                "Math.min(...Array.from(document.querySelectorAll('svg text'))"
                ".filter(e => e.checkVisibility()).map(e => e.getBoundingClientRect().height))"
            )
            >= 11
        )

    def test_a_screen_reader_reads_everything(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        page = open_page()
        spoken = page.run(
            "Array.from(document.querySelectorAll('svg')).map(e => [e.getAttribute('role'),"
            " e.getAttribute('aria-label').length > 60, e.closest('figure') !== null])"
        )
        assert spoken == [["img", True, True]] * 12
        assert page.run("document.querySelectorAll('header, main, footer').length") == 3
        assert page.run("document.querySelectorAll('table').length") == 8
        assert page.run("document.querySelectorAll('table > caption').length") == 8
        assert page.run("document.querySelectorAll('th:not([scope])').length") == 0
        sortable = "table[data-sortable] thead th"
        assert page.run(f"document.querySelectorAll('{sortable}').length") == 19
        assert page.run(f"document.querySelectorAll('{sortable} > button:enabled').length") == 19

    def test_it_shows_an_incomplete_run(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        assert open_page().texts(".health li") == [
            "✓ The last run read everything it was asked for",
            "✓ All checks of the data pass",
        ]
        broken = campaign_ids(space)[0]
        space.faults.add(Fault(f"/campaigns/{broken}/orders", "respond", status=500))
        space.clock.advance(3600)
        workspace.run(space)
        page = open_page()
        assert page.texts(".health li") == [
            "▲ The last run (2 March 2026, 13:00 UTC) could not read everything",
            "▲ error: 1 lists the newest run could not read:"
            " their orders are older than the rest; see campaign_failures",
        ]
        assert page.texts("#as-of")[0].startswith("As of 2 March 2026, 12:00 UTC")
        page.click(".failures summary")
        (failure,) = workspace.table("campaign_failures")
        (campaign,) = (c for c in workspace.table("campaigns") if c["id"] == broken)
        assert page.texts(".failures li") == [
            f"{campaign['name']}: {failure['reason']} {failure['path']}"
        ]


class TestBeginnings:
    """A page of little or nothing."""

    def test_without_orders_it_says_what_to_do(
        self, space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage
    ) -> None:
        for campaign in campaign_ids(space):
            space.world.remove_campaign(campaign)
        any_workspace.run(space)
        page = open_page()
        assert page.texts("main h2") == ["No orders yet"]
        assert page.texts("main code") == ["signalwire-orders run\nsignalwire-orders dashboard"]
        assert page.texts("#as-of")[0].startswith("As of 2 March 2026, 12:00 UTC · 0 orders")
        assert page.complaints() == []

    def test_with_one_waiting_order_nothing_is_made_up(
        self, space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage
    ) -> None:
        first, *others = campaign_ids(space)
        for campaign in others:
            space.world.remove_campaign(campaign)
        for _, _, record in space.world.truth_orders():
            space.world.remove_order(record["id"])
        space.world.add_order(first)
        any_workspace.run(space)
        page = open_page()
        assert page.texts(".tile .value") == ["1", "0", NONE, NONE, NONE]
        assert page.texts(".nothing") == [
            "No order with a known time has been processed yet.",
            "No order with a known time has been processed yet.",
        ]
        assert page.texts(f"{CAMPAIGN_NAMES} ~ td:nth-child(7)") == ["not yet"]
        assert page.complaints() == []

    def test_with_nothing_loaded_it_says_what_to_run(self, workspace: Workspace) -> None:
        done = workspace.command("dashboard")
        assert (done.returncode, done.stdout) == (2, "")
        assert "nothing is loaded yet" in done.stderr
        assert "signalwire-orders run" in done.stderr
        assert not (workspace.folder / "signalwire_orders.html").exists()


class TestCommand:
    """What a person types."""

    def test_it_prints_the_path_and_leaves_one_file(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        with _only_new_files(workspace.folder) as new:
            done = workspace.command("dashboard")
            assert (done.returncode, done.stdout) == (0, "signalwire_orders.html\n")
            done = workspace.command("dashboard", "--out", "other.html")
            assert (done.returncode, done.stdout) == (0, "other.html\n")
        assert new == {"signalwire_orders.html", "other.html"}
        html, other = (workspace.folder / name for name in sorted(new, reverse=True))
        assert html.read_bytes() == other.read_bytes()
        assert b"</html>" in html.read_bytes()

    def test_a_missing_folder_is_refused(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        done = workspace.command("dashboard", "--out", "nowhere/page.html")
        assert done.returncode == 2
        assert "--out: there is no folder nowhere; make it first" in done.stderr


def tiles(board: Dashboard) -> str:
    """The key figures' part of a page."""
    return render(board).partition('<section class="tiles"')[2].partition("</section>")[0]


@contextmanager
def _only_new_files(folder: Path) -> Iterator[set[str]]:
    """What appears in a folder meanwhile, but for dlt's own and the database's."""
    before = {path.name for path in folder.iterdir()}
    new: set[str] = set()
    yield new
    new |= {path.name for path in folder.iterdir()} - before
