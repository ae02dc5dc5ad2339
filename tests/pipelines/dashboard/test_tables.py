"""The dashboard's tables in a real browser: sorted, searched, and without scripts."""

from __future__ import annotations

import pytest
from support import Workspace
from support.dashboards import CAMPAIGN_NAMES, OpenPage, campaign_ids, reports
from support.pages import Page

from pipelines.dashboard.formats import hours
from sources.simulator import SimulatedSpace


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
