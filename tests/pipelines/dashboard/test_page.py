"""The dashboard in a real browser: what it shows, and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import Workspace
from support.chromium import MISSING, find
from support.dashboards import CAMPAIGN_NAMES, OpenPage, campaign_ids, reports

from pipelines.dashboard.data import load
from pipelines.dashboard.formats import NONE, hours, number, percent
from pipelines.destinations import duckdb
from pipelines.destinations.resolve import find_target
from pipelines.destinations.rows import fetched
from pipelines.reporting.catalog import configured_reports
from pipelines.reporting.rows import report_rows
from sources.simulator import Fault, SimulatedSpace

FIGURES = ["orders", "over-time", "survival", "histogram", "flow", "backlog", "targets"]


def test_a_browser_was_found() -> None:
    if not find():
        pytest.fail(MISSING, pytrace=False)


@pytest.mark.proof
def test_it_reads_with_more_memory_where_little_is_not_enough(
    space: SimulatedSpace,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace.run(space)
    reports = configured_reports()
    usual = load(find_target()), report_rows(find_target(), reports, "backlog_by_day")
    monkeypatch.setattr(duckdb, "READING_MEMORY", "1MB")
    with caplog.at_level("DEBUG", "pipelines"):
        assert load(find_target()) == usual[0]
        assert caplog.text.count("reading needs more memory than 1MB") == 1
        assert report_rows(find_target(), reports, "backlog_by_day") == usual[1]
    assert caplog.text.count("reading needs more memory than 1MB") == 2


def test_it_reads_where_nothing_can_be_written_beside_the_database(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.run(space)
    # no folder to spill to can be made
    workspace.database.with_name(f"{workspace.database.name}.tmp").touch()
    monkeypatch.setattr(duckdb, "READING_MEMORY", "16MB")
    sql = "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY hash(range)) AS n FROM range({}))"
    target = find_target()
    with target.opened() as client:
        _, rows = target.in_little_memory(client, lambda: fetched(client, sql.format(2_000_000)))
    assert rows == [(2_000_000,)]


class TestPage:
    """What a person sees."""

    def test_it_opens_quietly_and_asks_for_nothing(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage, tmp_path: Path
    ) -> None:
        workspace.run(space)
        page = open_page()
        assert page.texts("h1, main h2") == [
            "10DLC number assignment orders",
            "Orders",
            "Open now",
            "Median, all orders",
            "p90, all orders",
            "Processed in time",
            "Orders by time of creation",
            "Median and 90th percentile by time of creation",
            "Orders still waiting after some time",
            "How long processed orders took",
            "Arrived, processed and open",
            "Open orders by age",
            "Processed within each target",
            "Campaigns",
            "Stuck orders",
        ]
        assert page.texts("#as-of") == [
            "As of 2 March 2026, 12:00 UTC · 48 orders in 4 campaigns · dataset signalwire"
        ]
        assert page.run("Array.from(document.querySelectorAll('figure svg')).length") == 7
        assert page.complaints() == []
        assert page.requests() == [(tmp_path / "page.html").as_uri()]

    @pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "none"])
    def test_the_tiles_say_what_the_reports_say(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        open_page: OpenPage,
        scripts: bool,
    ) -> None:
        any_workspace.run(space)
        (summary,) = reports(any_workspace, "SELECT * FROM @processing_time_summary")
        (target,) = reports(
            any_workspace, "SELECT * FROM @target_attainment WHERE target_hours = 24"
        )
        (stuck,) = reports(
            any_workspace, "SELECT count(*) AS orders, max(age_hours) AS age FROM @stuck_orders"
        )
        page = open_page(scripts=scripts)
        orders, open_now, *times, within = page.texts(".tile .value")
        assert (orders, open_now) == (number(summary["orders"]), number(summary["open"]))
        assert within == percent(target["share_within"])
        expected = [hours(summary[f"{name}_hours_all"]) for name in ("median", "p90")]
        assert times == [text if text != NONE else "not yet known" for text in expected]
        oldest = f", the oldest {hours(stuck['age'])}" if stuck["orders"] else ""
        assert page.texts("#tile-open .note") == [f"{stuck['orders']} stuck{oldest}"]
        assert page.texts("#tile-median .note")[0].startswith(hours(summary["median_hours"]))
        assert len(page.texts("#stuck tbody tr")) == stuck["orders"]

    @pytest.mark.proof
    def test_at_night_it_is_dark(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        background = "getComputedStyle(document.body).backgroundColor"
        light, dark = (open_page(media=media).run(background) for media in ("light", "dark"))
        assert (light, dark) == ("rgb(246, 247, 248)", "rgb(18, 22, 26)")

    @pytest.mark.parametrize("width", [390, 1280, pytest.param(700, marks=pytest.mark.proof)])
    def test_it_fits_the_screen(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage, width: int
    ) -> None:
        space.world.update_campaign(campaign_ids(space)[0], name="W" * 300)
        workspace.run(space)
        page = open_page(width=width)
        assert page.run("document.documentElement.scrollWidth") <= width
        # charts fill their place, and nothing of them is cut off
        assert page.run(
            "Array.from(document.querySelectorAll('.chart')).every(e => {"
            " const svg = e.querySelector('svg').getBoundingClientRect();"
            " return Math.abs(svg.width - e.clientWidth) < 3; })"
        )
        # letters do not shrink with the picture
        least = (
            "Math.min(...Array.from(document.querySelectorAll('.chart svg text'),"
            " e => e.getBoundingClientRect().height).filter(height => height > 0))"
        )
        assert page.run(least) >= 11

    @pytest.mark.proof
    def test_it_prints_what_is_filtered(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        page = open_page(width=794, address="#status=processed")
        page.as_printed()
        assert page.run("document.documentElement.scrollWidth") <= 794
        assert page.run(
            "Array.from(document.querySelectorAll('figure')).every(e => !e.querySelector('svg') ||"
            " e.querySelector('svg').getBoundingClientRect().right"
            " <= e.getBoundingClientRect().right)"
        )
        assert page.run("document.getElementById('status').value") == "processed"
        # what can only be clicked is not on paper, but for names in tables, which are buttons
        assert page.texts("button:not(table button), input[type=search]") == []

    @pytest.mark.proof
    def test_no_line_is_told_apart_by_its_colour_alone(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        dashes = open_page().run(
            "Object.values(page.context.drawing.charts).map(spec => JSON.stringify(spec))"
            '.flatMap(spec => [...spec.matchAll(/"strokeDash":.*?"range":(\\[\\[.*?\\]\\])/g)])'
            ".map(found => JSON.parse(found[1]))"
        )
        assert [len(each) for each in dashes] == [4, 3, 3]
        for each in dashes:
            assert len({str(dash) for dash in each}) == len(each)

    def test_a_screen_reader_reads_everything(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        page = open_page()
        described = "Array.from(document.querySelectorAll('.chart'), e => e.ariaLabel ?? '')"
        assert len(list(filter(None, page.run(described)))) == 7
        assert page.run("document.querySelectorAll('header, main, footer').length") == 3
        page.click("#flow summary")
        assert page.run("document.querySelectorAll('table').length") == 9
        assert page.run("document.querySelectorAll('table > caption').length") == 9
        assert page.run("document.querySelectorAll('th:not([scope])').length") == 0
        unnamed = (
            "Array.from(document.querySelectorAll('input, select, button'))"
            ".filter(e => !e.labels?.length && !e.ariaLabel && !e.textContent.trim()"
            " && e.checkVisibility()).length"
        )
        assert page.run(unnamed) == 0
        assert page.run("document.getElementById('shown').getAttribute('role')") == "status"
        assert page.texts("#shown") == ["48 of 48 orders in 4 campaigns"]

    def test_a_point_says_its_value_in_words(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        page = open_page()
        for mark, title, value in (
            ("#orders .mark-rect path", "Orders", r"[\d,]+"),
            ("#over-time .mark-symbol path", "Time", r"[\d.,]+\u00a0(min|h|d)"),
            ("#survival .mark-line path", "Still waiting", r"[\d.]+\u00a0%"),
            ("#targets .mark-rect path", "Within", r"[\d.]+\u00a0%"),
        ):
            said = page.run(f"document.querySelector('{mark}').ariaLabel")
            assert re.search(f"; {title}: {value}(;|$)", said), said

    @pytest.mark.proof
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

    @pytest.mark.proof
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
        unknown = "not yet known"
        assert page.texts(".tile .value") == ["1", "1", unknown, unknown, NONE]
        assert len(page.texts(".nothing")) == 3
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

    @pytest.mark.proof
    def test_it_opens_the_page(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        opened = workspace.folder / "opened"
        browser = workspace.folder / "browser.sh"
        browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {opened}\n')
        browser.chmod(0o755)
        done = workspace.command("dashboard", "--open", BROWSER=f"{browser} %s")
        assert done.returncode == 0, done.stderr
        assert opened.read_text() == (workspace.folder / "signalwire_orders.html").as_uri()

    def test_a_missing_folder_is_refused(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        done = workspace.command("dashboard", "--out", "nowhere/page.html")
        assert done.returncode == 2
        assert "--out: there is no folder nowhere; make it first" in done.stderr


@contextmanager
def _only_new_files(folder: Path) -> Iterator[set[str]]:
    """What appears in a folder meanwhile, but for dlt's own and the database's."""
    before = {path.name for path in folder.iterdir()}
    new: set[str] = set()
    yield new
    new |= {path.name for path in folder.iterdir()} - before
