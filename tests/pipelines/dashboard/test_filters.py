"""The dashboard's filters, tables and files in a real browser, used as a person would."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from support import Workspace
from support.dashboards import CAMPAIGN_NAMES, OpenPage, campaign_ids, reports
from support.pages import Page

from pipelines.dashboard import packing
from pipelines.dashboard.formats import hours
from sources.simulator import SimulatedSpace


@pytest.fixture
def page(space: SimulatedSpace, workspace: Workspace, open_page: OpenPage) -> Page:
    """One campaign has no processed order: its median is not known, and endless for all."""
    first = campaign_ids(space)[0]
    brand = next(b for b, campaign, _ in space.world.truth_orders() if campaign == first)
    space.world.add_order(space.world.add_campaign(brand, name="Quite new", state="active"))
    workspace.run(space)
    return open_page()


def shown(page: Page) -> str:
    (text,) = page.texts("#shown")
    return text


class TestFilters:
    """What can be chosen, and how it is taken back."""

    def test_a_click_on_a_name_shows_its_orders_and_another_one_all(self, page: Page) -> None:
        whole = shown(page)
        for column, count in ((1, 1), (2, 3), (3, 1)):
            cell = f"#campaigns tbody tr:last-child > :nth-child({column}) button"
            (name,) = page.texts(cell)
            page.click(cell)
            assert name in page.texts(f"#campaigns tbody > tr > :nth-child({column})")
            assert len(page.texts(CAMPAIGN_NAMES)) >= min(count, 1)
            assert page.run("location.hash.length") > 5
            assert shown(page) != whole
            page.click(f"#campaigns tbody > tr > :nth-child({column}) button")
            assert (shown(page), page.run("location.hash")) == (whole, "")

    def test_charts_fit_the_window_also_those_that_were_empty_when_it_changed(
        self, page: Page
    ) -> None:
        widths = (
            "['.chart', 'svg'].map(of => Math.round("
            "document.querySelector('#histogram ' + of).getBoundingClientRect().width))"
        )
        for view, width in (("", 700), ("#from=2031-01-01", 1280), ("", 900)):
            page.run(f"location.hash = '{view}'")
            page.wait(f"document.querySelector('#histogram.empty') {'!==' if view else '==='} null")
            if not view:
                page.wait(f"({widths}).every((found, _, all) => found > 200 && found === all[0])")
            page.resize(width)
        page.wait(f"({widths}).every((found, _, all) => found > 200 && found === all[0])")

    def test_a_view_can_be_sent_and_gone_back_from(
        self, page: Page, open_page: OpenPage, tmp_path: Path
    ) -> None:
        whole = shown(page)
        page.click("button[data-days='7']")
        address = page.run("location.hash")
        assert address == "#from=2026-02-24"
        narrowed = shown(page)
        assert "compared with" in narrowed
        assert page.texts("[aria-pressed=true]") == ["7 days"]
        page.run("history.back()")
        page.wait(f"document.getElementById('shown').textContent === '{whole}'")
        other = open_page(address=address)
        assert shown(other) == narrowed
        other.click("#clear")
        assert (shown(other), other.texts("#clear")) == (whole, [])

    @pytest.mark.proof
    def test_a_click_on_a_bar_shows_its_days(self, page: Page) -> None:
        (first, *_) = page.run("page.rows.orders")
        page.click("#orders svg .mark-rect path")
        assert page.run("location.hash").startswith(f"#from={first['label'][-10:]}&to=")
        assert page.run("page.found.now.orders") == first["count"]

    @pytest.mark.proof
    def test_of_days_that_are_left_out_nothing_is_compared(
        self, page: Page, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert page.run("page.found.now.orders") == 49
        monkeypatch.setattr(packing, "MOST_ORDERS", 20)
        cut = open_page()
        assert 0 < cut.run("page.found.now.orders") <= 20
        assert "This page carries the" in "".join(cut.texts(".note"))
        assert cut.run("page.found.now.stuck >= page.found.tables.stuck.length")
        for days, compared in ((0, False), (40, True)):
            first = f"isoDay(page.context.first_day + {days})"
            cut.run(f"page.go(filtersOf({{ from: {first}, to: {first} }}))")
            assert cut.run("page.found.earlier !== null") is compared

    @pytest.mark.proof
    def test_what_is_not_there_shows_nothing(self, page: Page) -> None:
        page.run("page.go(filtersOf({ campaign: 'gone', from: '2001-01-01', to: 'soon' }))")
        assert page.texts(".tile .value")[:2] == ["0", "0"]
        assert page.texts(CAMPAIGN_NAMES) == []
        assert page.complaints() == []

    @pytest.mark.proof
    def test_the_keyboard_alone_will_do(self, page: Page) -> None:
        page.run("document.getElementById('status').focus()")
        page.press("o")
        assert page.run("location.hash") == "#status=open"
        for _ in range(40):
            page.press("Tab")
            if page.run("document.activeElement.id") == "clear":
                break
        page.press("Enter")
        assert page.run("location.hash") == ""


@pytest.mark.proof
class TestTable:
    """The campaigns, which can be sorted and searched."""

    def test_it_stands_the_slowest_first_and_sorts_by_any_column(
        self, workspace: Workspace, page: Page
    ) -> None:
        rows = reports(workspace, "SELECT * FROM @processing_time_by_campaign")
        rows.sort(key=lambda row: -(row["median_hours_all"] or 1e9))
        assert page.texts(CAMPAIGN_NAMES) == [row["campaign_name"] for row in rows]
        assert page.texts("#campaigns tbody td:nth-child(9)") == [
            hours(row["median_hours"]) for row in rows
        ]
        for column, place, endless in (
            ("median_hours_all", 7, True),
            ("median_hours", 9, False),
            ("orders", 4, False),
        ):
            unknown = [row["campaign_name"] for row in rows if row[column] is None]
            known = {row["campaign_name"]: row[column] for row in rows if row[column] is not None}
            header = f"#campaigns thead th:nth-child({place})"
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
                assert len(page.texts("#campaigns [aria-sort]")) == 1
                orders.add(order)
            assert orders == {"ascending", "descending"}

    def test_a_search_leaves_what_it_finds(self, page: Page) -> None:
        names = page.texts(CAMPAIGN_NAMES)
        page.click("#campaigns input")
        page.type("qUITE")
        assert page.texts(CAMPAIGN_NAMES) == ["Quite new"]
        page.run("document.querySelector('#campaigns input').select()")
        page.type(" ")
        assert page.texts(CAMPAIGN_NAMES) == names

    def test_without_scripts_it_is_whole_and_offers_nothing_that_fails(
        self, open_page: OpenPage, page: Page
    ) -> None:
        names = page.texts(CAMPAIGN_NAMES)
        plain = open_page(scripts=False)
        assert plain.texts(CAMPAIGN_NAMES) == names
        assert plain.texts("button, input, select, figure") == []
        assert "need JavaScript" in plain.texts("noscript")[0]


@pytest.mark.proof
class TestFiles:
    """What can be saved and copied."""

    def test_a_chart_is_saved_and_shown_as_a_table(self, page: Page) -> None:
        heads = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"series,hours,share"}
        for kind, head in heads.items():
            saved = page.download(f"#survival button[data-save={kind}]")
            assert saved.name == f"survival.{kind}"
            assert saved.read_bytes().startswith(head)
        page.click("#backlog summary")
        page.wait("document.querySelectorAll('#backlog tbody tr').length === 7")
        counts = [int(text) for text in page.texts("#backlog tbody td:nth-child(2)")]
        assert sum(counts) == page.run("page.found.now.open")
        assert page.complaints() == []

    def test_tables_are_saved_and_ids_copied(self, page: Page) -> None:
        saved = page.download("#campaigns button[data-save]")
        lines = list(csv.DictReader(io.StringIO(saved.read_text(encoding="utf-8"))))
        assert [line["Campaign"] for line in lines] == page.texts(CAMPAIGN_NAMES)
        assert sum(int(line["Orders"]) for line in lines) == 49
        # a name that a spreadsheet would take for a formula
        text = page.run("""csv([["=1+1", '"', "a,b", null, Infinity, 2]])""")
        assert text == '"\'=1+1","""","a,b",,,2\r\n'
        (first, *_) = page.texts("#stuck tbody th")
        page.click("#stuck tbody th button")
        page.wait(f"document.getElementById('shown').textContent === '{first} is copied'")
