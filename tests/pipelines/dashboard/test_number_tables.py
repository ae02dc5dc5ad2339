"""The dashboard's tables of telephone numbers, compared with the reports on them."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from support import Workspace
from support.dashboards import OpenPage, campaign_ids, reports
from support.pages import Page

from pipelines.dashboard.formats import hours, number, percent
from sources.simulator import SimulatedSpace

HEADS = "#numbers tbody th"


@pytest.fixture
def page(space: SimulatedSpace, any_workspace: Workspace, open_page: OpenPage) -> Page:
    """One number has failed, one waits, and one campaign has numbers but no orders."""
    world = space.world
    first, second, *_ = [record["id"] for _, _, record in world.truth_numbers()]
    world.update_number(first, state="failed")
    world.update_number(second, state="pending")
    brand = world.truth_campaigns()[0][0]
    bare = world.add_campaign(brand, name="Numbers only", state="active")
    world.add_number(bare, state="completed")
    any_workspace.run(space, number_assignments=True)
    return open_page()


def expected(workspace: Workspace) -> dict[str, list[str]]:
    """To each campaign its line, from the reports."""
    times = {
        row["group_id"]: row
        for row in reports(
            workspace, "SELECT * FROM @numbers_time_to_usable WHERE grouped_by = 'campaign'"
        )
    }
    return {
        row["campaign_name"]: [
            row["brand_name"],
            row["use_case"],
            *(number(row[name]) for name in ("numbers", "completed", "waiting", "failed")),
            percent(row["share_usable"]),
            hours(times[row["campaign_id"]]["median_hours_all"], "not yet"),
            hours(times[row["campaign_id"]]["p90_hours_all"], "not yet"),
            "no limit" if row["numbers_left"] is None else number(row["numbers_left"]),
        ]
        for row in reports(workspace, "SELECT * FROM @numbers_by_campaign WHERE numbers > 0")
    }


def lines(page: Page) -> dict[str, list[str]]:
    names, cells = page.texts(HEADS), page.texts("#numbers tbody td")
    width = len(cells) // len(names)
    return {name: cells[n * width : (n + 1) * width] for n, name in enumerate(names)}


def sentence(row: dict[str, Any]) -> str:
    """How long it took, as the page says it of a row of numbers_time_to_usable."""
    return (
        f"Half of those ever assigned could send within {hours(row['median_hours_all'])},"
        f" nine of ten within {hours(row['p90_hours_all'], 'a time not yet known')}."
    )


def test_they_say_what_the_reports_say(
    any_workspace: Workspace, page: Page, open_page: OpenPage
) -> None:
    wanted = expected(any_workspace)
    assert wanted["Numbers only"][2:6] == ["1", "1", "0", "0"]
    assert lines(page) == wanted
    (whole,) = reports(
        any_workspace, "SELECT * FROM @numbers_time_to_usable WHERE grouped_by = 'all'"
    )
    total = sum(int(line[2]) for line in wanted.values())
    (note,) = page.texts("#numbers-note")
    assert note == f"{total - 2} of {total} numbers can send; 1 wait, 1 failed. {sentence(whole)}"
    (failed,) = reports(any_workspace, "SELECT * FROM @failed_numbers")
    assert page.texts("#failed_numbers tbody th") == [failed["phone_number"]]
    plain = open_page(scripts=False)
    assert lines(plain) == wanted
    assert plain.texts("#failed_numbers tbody th") == [failed["phone_number"]]
    assert plain.texts("#numbers-note") == [f"{total - 2} of {total} numbers can send."]


def test_they_follow_the_filters(any_workspace: Workspace, page: Page) -> None:
    wanted = expected(any_workspace)
    groups = {
        (row["grouped_by"], row["group_id"]): row
        for row in reports(any_workspace, "SELECT * FROM @numbers_time_to_usable")
    }
    rows = reports(
        any_workspace, "SELECT DISTINCT campaign_name, campaign_id, brand_id, use_case"
        " FROM @number_processing"
    )  # fmt: skip
    columns = {"campaign": "campaign_id", "brand": "brand_id", "use case": "use_case"}
    for kind, column in columns.items():
        value = rows[0][column]
        page.run(f"page.go(filtersOf({{ {kind.replace(' ', '_')}: '{value}' }}))")
        names = {row["campaign_name"] for row in rows if row[column] == value}
        assert lines(page) == {name: wanted[name] for name in names}
        known = groups[kind, value]["median_hours_all"] is not None
        assert page.texts("#numbers-note")[0].endswith(
            sentence(groups[kind, value]) if known else "failed."
        )
    # days and a status are those of orders
    page.run("page.go(filtersOf({ from: '2001-01-01', to: '2001-01-02', status: 'failed' }))")
    assert lines(page) == wanted


@pytest.mark.proof
def test_a_click_filters_and_numbers_are_saved_as_they_are(
    any_workspace: Workspace, page: Page
) -> None:
    page.click(f"{HEADS} button")
    (name,) = page.texts(HEADS)
    page.click(f"{HEADS} button")
    assert name in page.texts(HEADS)
    assert len(page.texts(HEADS)) > 1
    saved = page.download("#failed_numbers button[data-save]")
    (line,) = csv.DictReader(io.StringIO(saved.read_text(encoding="utf-8")))
    assert saved.name == "failed_numbers.csv"
    assert line["Number"] == page.texts("#failed_numbers tbody th")[0]
    assert line["Number"].startswith("+")
    assert page.run("""csv([["+1-1", "+15550100"]])""") == '"\'+1-1",+15550100\r\n'


def test_without_numbers_nothing_is_said_of_them(
    space: SimulatedSpace, workspace: Workspace, open_page: OpenPage
) -> None:
    assert campaign_ids(space)
    workspace.run(space)
    page = open_page()
    assert page.texts("#numbers, #failed_numbers") == []
    assert page.complaints() == []
