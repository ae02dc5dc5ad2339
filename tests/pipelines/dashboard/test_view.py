"""What the dashboard shows of some orders, compared with SQL over the same orders."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import Workspace
from support.dashboards import OpenPage
from support.pages import Page
from support.views import Reports, reports_of

from sources.simulator import SimulatedSpace

# of quantiles and of shares
TOLERANCE = 0.005
EPOCH = date(1970, 1, 1)
STATUSES = ("processed", "open", "failed", "deleted")


class Shown:
    """A page, and the truth about its orders."""

    def __init__(self, page: Page, reports: Reports) -> None:
        self.page = page
        self.reports = reports
        self.campaigns = reports.rows(
            "SELECT DISTINCT campaign_id, brand_id, use_case FROM all_orders ORDER BY ALL"
        )
        ((self.first, self.last),) = [
            (row["first"], row["last"])
            for row in reports.rows(
                "SELECT min(created_day) AS first, max(created_day) AS last FROM all_orders"
            )
        ]

    def ask(self, filters: dict[str, str]) -> dict[str, Any]:
        """What the page computes for some filters, once everything on it is drawn."""
        found: dict[str, Any] = self.page.run(
            f"""(async () => {{
                history.replaceState(null, "", addressOf(filtersOf({json.dumps(filters)})));
                await page.show();
                return {{ ...page.found, first_day: page.context.first_day }};
            }})()"""
        )
        return found


@pytest.fixture
def shown(
    space: SimulatedSpace,
    any_workspace: Workspace,
    open_page: OpenPage,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    cases = [c["sms_use_case"] for _, c in space.world.truth_campaigns()]
    promises = [{"hours": 2, "use_case": cases[0]}, {"hours": 7.5, "since": "2026-02-01"}]
    monkeypatch.setenv("REPORTS__SLA", json.dumps(promises))
    space.clock.advance(40 * 86_400)
    copy = any_workspace.folder / "copy.duckdb"
    any_workspace.run(space, publish=copy)
    page = open_page()
    with reports_of(copy) as reports:
        yield Shown(page, reports)


def condition_of(filters: dict[str, str]) -> str:
    columns = {"brand": "brand_id", "campaign": "campaign_id"}
    conditions = [
        f"{columns.get(name, name)} = '{value}'"
        for name, value in filters.items()
        if name not in ("from", "to")
    ]
    if start := filters.get("from"):
        conditions.append(f"created_day >= DATE '{start}'")
    if end := filters.get("to"):
        conditions.append(f"created_day <= DATE '{end}'")
    return " AND ".join(conditions) or "TRUE"


def close(found: float | None, expected: float | None) -> bool:
    """Whether two durations are the same but for the width of a cell."""
    if found is None or expected is None:
        return found is expected
    return abs(found - expected) <= TOLERANCE * expected + 1 / 3600


def require_same(found: dict[str, Any], truth: dict[str, list[dict[str, Any]]]) -> None:
    """Fails where a number on the page is not that of the reports."""
    (summary,) = truth["processing_time_summary"]
    require_same_row(found["now"], summary, ("orders", *STATUSES))
    targets = {row["target_hours"]: row for row in truth["target_attainment"]}
    for target in found["targets"]:
        row = targets[target["hours"]]
        assert (target["within"], target["missed"]) == (row["within"], row["missed"])
    require_same_curve(found["curve"], truth["processing_time_survival"])
    ages = [row["orders"] for row in truth["backlog"] if row["from_hours"] is not None]
    assert found["backlog"]["counts"] == ages
    require_same_groups(found, truth)
    flow = {row["day"]: row for row in truth["backlog_by_day"]}
    first = EPOCH + timedelta(days=found["first_day"])
    assert {first + timedelta(days=row["day"]): row["open"] for row in found["flow"]} == {
        day: row["open_at_end"] for day, row in flow.items()
    }


def require_same_row(
    found: dict[str, Any], expected: dict[str, Any], counts: tuple[str, ...] = ("orders", "open")
) -> None:
    """Compares counts, which are exact, and times, which are those of cells."""
    for name in (*counts, "share_within_target"):
        assert found[name] == expected[name], name
    for name in ("median_hours", "p90_hours", "median_hours_all", "p90_hours_all"):
        assert close(found[name], expected[name]), (name, found[name], expected[name])


def require_same_curve(curve: list[dict[str, Any]], rows: list[dict[str, Any]]) -> None:
    """Compares the curves between their steps, whose places differ by less than a cell."""
    steps = [row for row in rows if row["processed"]]
    for step in steps:
        at = step["hours"]
        least = [row["share_waiting"] for row in steps if row["hours"] <= at * (1 + TOLERANCE)][-1]
        most = (
            [1.0] + [row["share_waiting"] for row in steps if row["hours"] < at * (1 - TOLERANCE)]
        )[-1]
        share = ([1.0] + [row["share"] for row in curve if row["hours"] <= at])[-1]
        assert least - TOLERANCE <= share <= most + TOLERANCE


def require_same_groups(found: dict[str, Any], truth: dict[str, list[dict[str, Any]]]) -> None:
    """Compares what is shown by campaign, and by day or week."""
    campaigns = {row["campaign_id"]: row for row in truth["processing_time_by_campaign"]}
    shown = {row["campaign_id"]: row for row in found["tables"]["campaigns"]}
    assert shown.keys() == campaigns.keys()
    for campaign, row in shown.items():
        require_same_row(row, campaigns[campaign])
    unit = found["unit"]
    first = EPOCH + timedelta(days=found["first_day"])
    periods = {
        row[f"created_{unit}"]: row
        for row in truth[f"processing_time_by_{unit}"]
        if row[f"created_{unit}"]
    }
    drawn = {first + timedelta(days=row["day"]): row for row in found["periods"]}
    assert drawn.keys() == periods.keys()
    for start, row in drawn.items():
        require_same_row(row, periods[start])


def test_any_view_shows_what_sql_says_of_its_orders(shown: Shown) -> None:
    days = (shown.last - shown.first).days

    @st.composite
    def filters(draw: st.DrawFn) -> dict[str, str]:
        given = {}
        campaign = draw(st.sampled_from(shown.campaigns))
        for name, column in (("brand", "brand_id"), ("campaign", "campaign_id"), ("use_case",) * 2):
            if draw(st.integers(0, 3)) == 0:
                given[name] = campaign[column]
        if draw(st.booleans()):
            given["from"] = str(shown.first + timedelta(days=draw(st.integers(-9, days + 9))))
        if draw(st.integers(0, 2)) == 0:
            given["to"] = str(shown.first + timedelta(days=draw(st.integers(-9, days + 9))))
        if draw(st.integers(0, 3)) == 0:
            given["status"] = draw(st.sampled_from(STATUSES))
        return given

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(filters())
    def compared(given: dict[str, str]) -> None:
        require_same(shown.ask(given), shown.reports.of(condition_of(given)))

    compared()
    assert shown.page.complaints() == []


@pytest.mark.proof
def test_a_view_of_no_known_times_beside_one_of_some_is_drawn_quietly(shown: Shown) -> None:
    """The days after the last order, beside those before."""
    start = shown.last + timedelta(days=1)
    found = shown.ask({"from": str(start), "to": str(start + timedelta(days=5))})
    assert (found["now"]["orders"], found["earlier"]["orders"] > 0) == (0, True)
    assert shown.page.complaints() == []
