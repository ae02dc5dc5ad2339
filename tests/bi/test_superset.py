"""The bundle in a real Superset: every chart's numbers, its filters, and what it looks like."""

from __future__ import annotations

import math
import os
import re
from datetime import date, datetime, timedelta, timezone
from typing import Any

import playwright.sync_api as playwright
import pytest
from conftest import Loaded
from server import PASSWORD, USER, Superset
from support import ROOT
from support.pages import Browser

from pipelines.reporting.superset.charts import charts

PICTURE = ROOT / "docs" / "superset.png"
TARGETS = (1, 4, 24, 48)
# Superset's "last 30 days" end with yesterday; the process there is in UTC too
TODAY = datetime.now(timezone.utc).date()
LAST_30_DAYS = f"created_day >= DATE '{TODAY - timedelta(30)}' AND created_day < DATE '{TODAY}'"
BEFORE = (
    f"created_day >= DATE '{TODAY - timedelta(60)}'"
    f" AND created_day < DATE '{TODAY - timedelta(30)}'"
)
MEASURES = {
    "orders": "count(*)",
    "open_orders": "count(*) FILTER (status = 'open')",
    "median_hours": "quantile_cont(processing_hours, 0.5)",
    "p90_hours": "quantile_cont(processing_hours, 0.9)",
    "share_within_target": "avg(within_target::INT)",
}
COMPARED = ("orders", "median_hours", "p90_hours", "share_within_target")
WITHIN = {
    f"share_within_{h}h": f"count(*) FILTER (processing_hours <= {h})"
    f" / nullif(count(*) FILTER (processing_hours <= {h} OR observed_hours > {h}), 0)"
    for h in TARGETS
}
STUCK_COLUMNS = (
    "order_id, brand_name, campaign_name, use_case, state, created_at, age_hours, limit_hours,"
    " limit_is"
)
# quarters of an hour on the first day, then hours
STEPS = (
    "CASE WHEN observed_hours <= 24 THEN ceil(observed_hours * 4) / 4 ELSE ceil(observed_hours) END"
)


def measured(names: tuple[str, ...], prefix: str = "") -> str:
    return ", ".join(f"{(MEASURES | WITHIN)[name]} AS {name}{prefix}" for name in names)


def expected(where: str = "TRUE", time: str = "TRUE") -> dict[str, str]:
    """The SQL of each chart's rows, over the orders that filters leave."""
    orders = f"(SELECT * FROM order_processing WHERE {where} AND {time})"
    everything = f"(SELECT * FROM order_processing WHERE {where})"
    tiles = {
        "Orders": "orders", "Median hours": "median_hours", "p90 hours": "p90_hours",
        "Within target": "share_within_target",
    }  # fmt: skip
    ages = (1, 4, 24, 48, 168, 720)
    group = " + ".join(f"(age_hours >= {age})::INT" for age in ages)
    return {
        **{title: f"SELECT {measured((name,))} FROM {orders}" for title, name in tiles.items()},
        "Open now": f"SELECT {measured(('open_orders',))} FROM {everything}",
        "Stuck now": f"SELECT count(*) AS stuck_orders FROM stuck_orders WHERE {where}",
        "By use case, beside the period before": f"""
            SELECT use_case, now.* EXCLUDE use_case, before.* EXCLUDE use_case
            FROM (SELECT use_case, {measured(COMPARED)} FROM order_processing
                  WHERE {where} AND {LAST_30_DAYS} GROUP BY 1) AS now
            JOIN (SELECT use_case, {measured(COMPARED, "__inherit")} FROM order_processing
                  WHERE {where} AND {BEFORE} GROUP BY 1) AS before USING (use_case)""",
        "Processing time": f"SELECT created_day, {measured(('median_hours', 'p90_hours'))}"
        f" FROM {orders} GROUP BY 1",
        "Still waiting after so many hours": f"""
            SELECT waited_hours,
                1 - count(*) FILTER (processing_hours <= waited_hours)
                / nullif(count(*) FILTER (processing_hours <= waited_hours
                                          OR observed_hours > waited_hours), 0)
                AS "share still waiting"
            FROM {orders} CROSS JOIN (SELECT DISTINCT {STEPS} AS waited_hours FROM {orders}
                                      WHERE observed_hours IS NOT NULL)
            WHERE observed_hours IS NOT NULL GROUP BY 1""",
        "Orders by status": f"SELECT created_day, status, count(*) AS orders FROM {orders}"
        " GROUP BY 1, 2",
        "Within each target": f"SELECT created_day, {measured(tuple(WITHIN))} FROM {orders}"
        " GROUP BY 1",
        "Open now, by age": f"""
            SELECT left(age_group, 1) AS age_group, orders FROM (
                SELECT ({group} + 1)::VARCHAR AS age_group, count(*) AS orders
                FROM {everything} WHERE status = 'open' GROUP BY 1)""",
        "Median hours by weekday and hour of creation (UTC)": "SELECT created_hour,"
        f" created_weekday, {measured(('median_hours',))} FROM {orders} GROUP BY 1, 2",
        "Campaigns": f"SELECT brand_name, campaign_name, use_case, {measured(tuple(MEASURES))}"
        f" FROM {orders} GROUP BY 1, 2, 3",
        "Stuck orders": f"SELECT {STUCK_COLUMNS} FROM stuck_orders WHERE {where}",
        "Still waiting, with its 95 % band": 'SELECT hours, share_waiting AS "share waiting (all)",'
        ' lower AS "lower (all)", upper AS "upper (all)" FROM processing_time_curve',
        "Orders arrived, processed and open by day": 'SELECT day, arrived AS "arrived (all)",'
        ' processed AS "processed (all)", open_at_end AS "open at end (all)" FROM backlog_by_day',
        "Promises, by month of creation": "SELECT created_month, promise, promised_hours,"
        " share_within, share_within_before, orders, missed FROM sla_attainment",
        "Slower than before": "SELECT campaign_name, brand_name, measure, hours_before, hours_now,"
        " worse_since, orders_now, chance FROM slower_than_before",
        "Numbers by campaign": "SELECT campaign_name, brand_name, numbers, completed, waiting,"
        " failed, share_usable FROM numbers_by_campaign",
        "What these numbers are of": "SELECT as_of, last_run_at, last_run_complete FROM data_as_of",
    }


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row with times as Superset sends them, in milliseconds, and age groups by their number."""
    found = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            value = value.timestamp() * 1000
        elif isinstance(value, date):
            value = datetime(value.year, value.month, value.day, tzinfo=timezone.utc)
            value = value.timestamp() * 1000
        elif name == "age_group":
            value = value[0]
        found[name] = value
    return found


def assert_same(title: str, got: list[dict[str, Any]], want: list[dict[str, Any]]) -> None:
    assert len(got) == len(want) > 0, title
    names = [*want[0]]

    def key(row: dict[str, Any]) -> str:
        return str([row[n] for n in names if isinstance(row[n], str)] + [
            round(row[n], 6) for n in names if not isinstance(row[n], str | None)
        ])  # fmt: skip

    for one, other in zip(
        sorted(map(plain, got), key=key), sorted(map(plain, want), key=key), strict=True
    ):
        for name in names:
            a, b = one[name], other[name]
            if isinstance(a, float | int) and isinstance(b, float | int):
                assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), f"{title}: {name}"
            else:
                assert a == b, f"{title}: {name}"


@pytest.mark.parametrize("database", ["duckdb", "postgres"])
def test_every_chart_has_the_numbers_of_sql(
    superset: Superset, databases: dict[str, Loaded], dashboards: dict[str, int], database: str
) -> None:
    found = superset.chart_rows(dashboards[database])
    wanted = expected()
    assert found.keys() == wanted.keys() == {chart.title for chart in charts(TARGETS)}
    for title, sql in wanted.items():
        assert_same(title, found[title], databases[database].rows(sql))


def unpivoted(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of "Orders by status", which a browser wants with a column for each status."""
    statuses = [name for name in ("processed", "open", "failed", "deleted") if name in row]
    if not statuses:
        return [row]
    day = row["created_day"]
    return [
        {"created_day": day, "status": name, "orders": row[name]} for name in statuses if row[name]
    ]


class View:
    """The dashboard in a browser, and the rows that its charts asked for last."""

    def __init__(self, page: playwright.Page, superset: Superset, dashboard: int) -> None:
        self.page = page
        self.titles = superset.titles(dashboard)
        self.rows: dict[str, list[dict[str, Any]]] = {}
        page.on("response", self._keep)
        page.goto(f"{superset.url}/login/")
        page.fill("#username", USER)
        page.fill("#password", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/superset/welcome/**")
        page.goto(f"{superset.url}/superset/dashboard/{dashboard}/")
        self.settle()

    def _keep(self, response: playwright.Response) -> None:
        chart = re.search(r"/api/v1/chart/data.*slice_id%22%3A(\d+)", response.url)
        if chart:
            rows = response.json()["result"][0]["data"]
            self.rows[self.titles[int(chart[1])]] = [
                row for each in rows for row in unpivoted(each)
            ]

    def settle(self) -> None:
        """Waits until all charts are drawn."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function("!document.querySelector('[data-test=loading-indicator]')")

    def choose(self, control: str, value: str) -> None:
        """Three clicks: the filter, its value, and Apply."""
        self.page.locator(f"[data-test={control}]").click()
        self.page.get_by_title(value, exact=True).click()
        self.rows.clear()
        self.page.locator("[data-test='filter-bar__apply-button']").click()
        self.settle()


@pytest.mark.parametrize("database", ["duckdb", "postgres"])
def test_a_filter_reaches_every_chart(
    superset: Superset, databases: dict[str, Loaded], dashboards: dict[str, int],
    browser: Browser, database: str,
) -> None:  # fmt: skip
    def look() -> tuple[View, View, bytes, list[str]]:
        page = browser.context(viewport={"width": 1280, "height": 2300}).new_page()
        view = View(page, superset, dashboards[database])
        whole, picture = dict(view.rows), page.screenshot()
        view.choose("NATIVE_FILTER-use_case", "2FA")
        errors = page.get_by_role("alert").all_inner_texts()
        return whole, view.rows, picture, errors

    whole, filtered, picture, errors = browser.do(look)
    assert errors == []
    loaded = databases[database]
    shown = [c.title for c in charts(TARGETS) if c.of != "all"]
    for rows, where in ((whole, "TRUE"), (filtered, "use_case = '2FA'")):
        wanted = expected(where, LAST_30_DAYS)
        assert sorted(rows) == sorted(shown)
        for title in shown:
            assert_same(title, rows[title], loaded.rows(wanted[title]))
    if os.environ.get("UPDATE_DOCS") and database == "duckdb":
        PICTURE.write_bytes(picture)


def test_a_newer_bundle_replaces_what_was_imported(
    superset: Superset, databases: dict[str, Loaded], dashboards: dict[str, int]
) -> None:
    superset.import_assets(databases["duckdb"].bundle(REPORTS__SLA_HOURS="[2, 24]"))
    rows = superset.chart_rows(dashboards["duckdb"])["Within each target"]
    assert rows[0].keys() == {"created_day", "share_within_2h", "share_within_24h"}
    superset.import_assets(databases["duckdb"].bundle())
    assert superset.chart_rows(dashboards["duckdb"])["Within each target"][0].keys() > {
        "share_within_1h"
    }


def test_the_next_query_reads_the_next_copy(
    superset: Superset, databases: dict[str, Loaded], dashboards: dict[str, int]
) -> None:
    loaded = databases["duckdb"]
    title = "What these numbers are of"
    ((before),) = superset.chart_rows(dashboards["duckdb"])[title]
    loaded.publish()
    (after,) = superset.chart_rows(dashboards["duckdb"])[title]
    assert after["as_of"] > before["as_of"]
    assert_same(title, [after], loaded.rows(expected()[title]))


def test_descriptions_are_shown_in_both_databases(
    superset: Superset, databases: dict[str, Loaded], dashboards: dict[str, int]
) -> None:
    """Also in a dataset made by hand, of a report that is not in the bundle."""
    for number in (1, 2):
        made = superset.call(
            "POST", "/api/v1/dataset/",
            json={"database": number, "schema": "signalwire_reports", "table_name": "backlog"},
        )  # fmt: skip
        found = superset.call("GET", f"/api/v1/dataset/{made['id']}")["result"]["columns"]
        meanings = {column["column_name"]: column["description"] for column in found}
        assert meanings["from_hours"] == "The lowest age in hours; null for an unknown age."
