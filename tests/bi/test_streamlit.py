"""The example page in a real Streamlit: its numbers in a browser, beside SQL."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from conftest import Loaded
from server import PROGRAMS, wait_for
from support import ROOT
from support.pages import Browser
from support.postgres_server import free_port

PAGE = ROOT / "examples" / "streamlit_app.py"
QUIET = ("--server.headless", "true", "--browser.gatherUsageStats", "false")


@pytest.fixture
def page_url(databases: dict[str, Loaded], tmp_path: Any) -> Iterator[str]:
    port = free_port()
    command = [
        PROGRAMS / "streamlit", "run", PAGE, "--server.port", str(port), *QUIET,
        "--", databases["duckdb"].copy,
    ]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/_stcore/health", process, tmp_path / "log")
            yield url
        finally:
            process.terminate()
            process.wait(30)


def test_its_numbers_are_those_of_sql(
    databases: dict[str, Loaded], page_url: str, browser: Browser
) -> None:
    def look() -> tuple[list[str], list[str], list[str]]:
        page = browser.context(viewport={"width": 1280, "height": 1200}).new_page()
        page.goto(page_url)
        page.get_by_test_id("stDataFrame").wait_for()
        found = [
            page.get_by_test_id(name).all_inner_texts()
            for name in ("stMetricValue", "stMetricDelta", "stException")
        ]
        return found[0], found[1], found[2]

    values, changes, errors = browser.do(look)
    assert errors == []
    periods = databases["duckdb"].rows(
        """SELECT count(*) AS orders, median(processing_hours) AS hours,
               100 * avg(within_target::INT) AS within_target
           FROM order_processing, data_as_of
           WHERE created_day > as_of::DATE - 60
           GROUP BY created_day > as_of::DATE - 30 ORDER BY created_day > as_of::DATE - 30"""
    )
    before, now = (list(period.values()) for period in periods)
    assert values == [f"{round(value, 1):,g}" for value in now]
    assert changes == [f"{round(a - b, 1):+,g}" for a, b in zip(now, before, strict=True)]
