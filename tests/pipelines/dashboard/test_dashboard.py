"""The dashboard, opened in a real browser: what it shows, what it asks for, and that it is safe."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from math import floor, log10
from pathlib import Path
from typing import Any

import pytest
from browser import Browser, Page, running_browser
from support import Workspace

from pipelines.dashboard.axes import count_ticks, hour_ticks
from pipelines.dashboard.board import Dashboard, Flow
from pipelines.dashboard.data import load, thinned
from pipelines.dashboard.header import tiles
from pipelines.dashboard.page import render
from pipelines.dashboard.words import NONE, hours, number, percent
from pipelines.destinations.resolve import find_target
from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
OpenPage = Callable[..., Page]
SCRIPT = "<script>alert(1)</script>"
CAMPAIGN_NAMES = "#campaigns-table tbody th"


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests of this process."""
    with running_browser(tmp_path_factory.mktemp("browser")) as started:
        yield started


@pytest.fixture
def open_page(browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """Opens pages of what is loaded, or of any other text."""
    pages: list[Page] = []

    def open_one(html: str | None = None, **settings: Any) -> Page:
        path = tmp_path / "page.html"
        path.write_text(html or render(loaded()), encoding="utf-8")
        pages.append(Page(browser, path, **{"width": 1280, "media": "light"} | settings))
        return pages[-1]

    yield open_one
    for page in pages:
        page.close()


def loaded() -> Dashboard:
    return load(find_target())


def reports(workspace: Workspace, sql: str) -> list[dict[str, Any]]:
    return workspace.rows(sql.replace("@", "signalwire_reports."))


def campaign_ids(space: SimulatedSpace) -> list[str]:
    return list(dict.fromkeys(campaign for _, campaign, _ in space.world.truth_orders()))


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
            "Campaigns, the slowest first",
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

    def test_a_screen_reader_is_told_everything(
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

    def test_it_tells_of_an_incomplete_run(
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


class TestTable:
    """The campaigns, which can be sorted and searched."""

    @pytest.fixture
    def page(self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage) -> Page:
        """One campaign has no processed order: its median is not known, and endless for all."""
        first = campaign_ids(space)[0]
        brand = next(b for b, campaign, _ in space.world.truth_orders() if campaign == first)
        space.world.add_order(space.world.add_campaign(brand, name="Quite new", state="active"))
        workspace.run(space)
        return open_page()

    @pytest.mark.parametrize(
        ("column", "heading", "endless"),
        [
            ("median_hours_all", "Median, all", True),
            ("median_hours", "Median, processed", False),
            ("orders", "Orders", False),
        ],
    )
    def test_numbers_sort_the_highest_first_then_the_lowest(
        self, workspace: Workspace, page: Page, column: str, heading: str, endless: bool
    ) -> None:
        rows = reports(
            workspace, f"SELECT campaign_name, {column} AS v FROM @processing_time_by_campaign"
        )
        assert len(rows) == 5
        unknown = [row["campaign_name"] for row in rows if row["v"] is None]
        known = {row["campaign_name"]: row["v"] for row in rows if row["v"] is not None}
        header = f"#campaigns-table thead th:nth-child({self._place(page, heading)})"
        orders = set()
        for _ in range(2):
            page.click(f"{header} button")
            order = page.run(f"document.querySelector('{header}').ariaSort")
            names = page.texts(CAMPAIGN_NAMES)
            if unknown:
                leads = endless and order == "descending"
                assert names.pop(0 if leads else -1) == unknown[0]
            values = [known[name] for name in names]
            assert values == sorted(values, reverse=order == "descending")
            assert page.run("document.querySelectorAll('#campaigns-table [aria-sort]').length") == 1
            orders.add(order)
        assert orders == {"ascending", "descending"}

    def test_names_sort_from_a_to_z(self, page: Page) -> None:
        names = page.texts(CAMPAIGN_NAMES)
        assert names != sorted(names, key=str.casefold)
        page.click("#campaigns-table thead th:first-child button")
        assert page.texts(CAMPAIGN_NAMES) == sorted(names, key=str.casefold)
        page.click("#campaigns-table thead th:first-child button")
        assert page.texts(CAMPAIGN_NAMES) == sorted(names, key=str.casefold, reverse=True)

    def test_it_stands_the_slowest_first(self, workspace: Workspace, page: Page) -> None:
        rows = reports(workspace, "SELECT * FROM @processing_time_by_campaign")
        rows.sort(key=lambda row: -(row["median_hours_all"] or 1e9))
        assert page.texts(CAMPAIGN_NAMES) == [row["campaign_name"] for row in rows]
        assert page.texts("#campaigns-table [aria-sort=descending]") == ["Median, all"]
        shown = page.texts("#campaigns-table tbody td:nth-child(9)")
        assert shown == [hours(row["median_hours"]) for row in rows]

    def test_a_search_leaves_what_it_finds(self, page: Page) -> None:
        names = page.texts(CAMPAIGN_NAMES)
        page.click("#search")
        page.type("qUITE")
        assert page.texts(CAMPAIGN_NAMES) == ["Quite new"]
        assert page.texts("#found") == ["1 of 5 found"]
        page.run("document.getElementById('search').select()")
        page.type(" ")
        assert page.texts(CAMPAIGN_NAMES) == names

    def test_without_scripts_it_is_whole_and_offers_nothing_that_fails(
        self, workspace: Workspace, open_page: OpenPage, page: Page
    ) -> None:
        names = page.texts(CAMPAIGN_NAMES)
        plain = open_page(scripts=False)
        assert plain.texts(CAMPAIGN_NAMES) == names
        assert plain.texts("#search-bar") == []
        assert plain.run("document.querySelectorAll('thead button:enabled').length") == 0

    @staticmethod
    def _place(page: Page, heading: str) -> int:
        return page.texts("#campaigns-table thead th").index(heading) + 1


class TestSafety:
    """Names come from whoever registers a campaign."""

    def test_what_looks_like_a_script_is_shown_as_it_is(
        self, space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage
    ) -> None:
        brand, campaign, record = space.world.truth_orders()[0]
        nasty = f"</script></td>{SCRIPT}\u2028'\"&amp;"
        space.world.update_brand(brand, name=SCRIPT)
        space.world.update_campaign(campaign, name=nasty, sms_use_case="<b>2FA")
        space.world.update_order(record["id"], state="<img src=x onerror=alert(2)>")
        space.clock.advance(90 * 86400)
        any_workspace.run(space)
        page = open_page()
        assert nasty in page.texts(CAMPAIGN_NAMES)
        assert SCRIPT in page.texts("#campaigns-table tbody td:nth-child(2)")
        assert "<b>2FA" in page.texts("#campaigns-table tbody td:nth-child(3)")
        assert "<img src=x onerror=alert(2)>" in page.texts("#stuck-table tbody td:nth-child(4)")
        assert page.run("document.scripts.length") == 1
        assert page.complaints() == []

    def test_the_page_may_not_reach_anybody(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        before = len(space.journal.entries())
        page = open_page()
        for attempt in (
            f"fetch('{space.url}/api/relay/rest', {{mode: 'no-cors'}}).then(() => 1, () => 0)",
            "new Promise(done => { const image = new Image(); image.onload = image.onerror ="
            f" () => done(image.width); image.src = '{space.url}/api/relay/rest'; }})",
        ):
            assert page.run(attempt) == 0
        assert len(space.journal.entries()) == before
        refused = "".join(page.complaints())
        assert refused.count("Content Security Policy") >= 2
        assert {kind in refused for kind in ("connect-src", "img-src")} == {True}

    def test_the_page_runs_no_script_but_its_own(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        html = render(loaded()).replace("</main>", f"{SCRIPT}<p onclick='alert(2)'>x</p></main>")
        page = open_page(html)
        page.click("main > p")
        complaints = page.complaints()
        assert len(complaints) == 2
        assert all("Content Security Policy" in complaint for complaint in complaints)

    def test_it_stays_small_and_says_what_it_leaves_out(
        self, space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
    ) -> None:
        workspace.run(space)
        board = loaded()
        long = board.campaigns[0]._replace(name="<" * 5000, brand="'" * 5000, total=5000)
        order = replace(board, campaigns=[long] * 2000)
        html = render(order)
        assert len(html.encode()) < 2_000_000
        page = open_page(html)
        rows = page.run("document.querySelectorAll('#campaigns-table tbody tr').length")
        assert 500 < rows < 2000
        told = f"The first {rows:,} of 5,000 campaigns, the slowest, are shown."
        assert told in page.texts("#campaigns > p")[0]


class TestNumbers:
    """What is put together in SQL for the pictures."""

    @pytest.fixture
    def filled(self, open_space: OpenSpace, any_workspace: Workspace) -> Workspace:
        space = open_space(brands=1, orders=400)
        campaign = campaign_ids(space)[0]
        now = space.clock.now().isoformat()
        # processed in no time, and in twenty seconds
        for at in (now, (space.clock.now() - timedelta(seconds=20)).isoformat()):
            space.world.add_order(campaign, state="processed", created_at=at, processed_at=now)
        any_workspace.run(space)
        return any_workspace

    def test_the_curve_is_thinned_but_true(self, filled: Workspace) -> None:
        curve = reports(filled, "SELECT * FROM @processing_time_survival ORDER BY hours")
        drawn = loaded().survival
        assert 100 < len(drawn) < 520 < len(curve)
        processed = sum(row["processed"] for row in curve)
        so_far = 0
        at = [step.hours for step in drawn]
        for row in curve:
            so_far += row["processed"]
            place = bisect_right(at, row["hours"]) - 1
            share, naive = (drawn[place].share, drawn[place].naive) if place >= 0 else (1, 1)
            assert naive is not None
            assert abs(share - row["share_waiting"]) <= 1 / 170 + 1e-9
            assert abs(naive - (1 - so_far / processed)) <= 1 / 170 + 1e-9
        last = drawn[-1]
        assert (last.hours, last.share, last.lower, last.upper) == pytest.approx(
            tuple(curve[-1][name] for name in ("hours", "share_waiting", "lower", "upper"))
        )

    def test_the_histogram_counts_every_processed_order(self, filled: Workspace) -> None:
        times = reports(
            filled,
            "SELECT processing_hours AS h FROM @order_processing WHERE processing_hours >= 0",
        )
        counts: dict[int, int] = {}
        for row in times:
            minutes = row["h"] * 60
            place = floor(log10(minutes) * 8) if minutes >= 1 else -1
            counts[place] = counts.get(place, 0) + 1
        assert counts[-1] == 2
        assert dict(loaded().histogram) == counts

    def test_the_flow_adds_up_day_by_day(self, filled: Workspace) -> None:
        arrived = processed = 0
        expected = []
        for row in reports(filled, "SELECT * FROM @backlog_by_day ORDER BY day"):
            arrived += row["arrived"]
            processed += row["processed"]
            expected.append(Flow(row["day"], arrived, processed, row["open_at_end"]))
        assert [*loaded().flow] == expected

    def test_a_short_past_is_told_by_days(self, filled: Workspace) -> None:
        assert loaded().period == "week"
        filled.execute(
            "DELETE FROM signalwire.orders WHERE created_at < TIMESTAMPTZ '2026-02-01 00:00:00Z'"
        )
        board = loaded()
        days = reports(filled, "SELECT * FROM @processing_time_by_day ORDER BY created_day")
        assert board.period == "day"
        assert [(p.start, p.orders, p.median_all) for p in board.periods] == [
            (row["created_day"], row["orders"], row["median_hours_all"]) for row in days
        ]

    def test_many_days_are_thinned_to_the_newest(self, filled: Workspace) -> None:
        (newest,) = loaded().flow[-1:]
        flow = [
            newest._replace(day=newest.day - timedelta(days=ago)) for ago in range(1500, -1, -1)
        ]
        kept = thinned(flow)
        assert (kept[0], kept[-1]) == (flow[0], flow[-1])
        assert 300 < len(kept) <= 401


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

    def test_a_place_that_cannot_be_written_to_is_told_in_a_sentence(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
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


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, NONE), (0.0, "0 min"), (0.001, "under 1 min"), (0.7, "42 min"), (0.999, "1 h"),
        (3.42, "3.4 h"), (24.0, "24 h"), (48.0, "48 h"), (50.4, "2.1 d"), (48000.0, "2,000 d"),
    ],
)  # fmt: skip
def test_hours_as_people_say_them(value: float | None, told: str) -> None:
    assert hours(value).replace("\N{NO-BREAK SPACE}", " ") == told


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (None, NONE), (0.0, "0 %"), (0.0004, "under 0.1 %"), (0.876, "87.6 %"),
        (0.9996, "over 99.9 %"), (1.0, "100 %"),
    ],
)  # fmt: skip
def test_a_share_that_is_not_whole_is_not_told_as_whole(share: float | None, told: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == told


def test_axes_end_on_round_values() -> None:
    assert [name for _, name in count_ticks(0)] == ["0", "1", "2", "3", "4", "5"]
    assert [name for _, name in count_ticks(1_048_000, 4)] == ["0", "500 k", "1 M", "1.5 M"]
    assert [name for _, name in hour_ticks(0.0)] == [
        "0", "0.2 min", "0.4 min", "0.6 min", "0.8 min", "1 min",
    ]  # fmt: skip
    assert [name for _, name in hour_ticks(0.5)] == ["0", "10 min", "20 min", "30 min"]
    assert [name for _, name in hour_ticks(41.0)] == ["0", "10 h", "20 h", "30 h", "40 h", "50 h"]
    assert [name for _, name in hour_ticks(200.0)] == ["0", "2 d", "4 d", "6 d", "8 d", "10 d"]
