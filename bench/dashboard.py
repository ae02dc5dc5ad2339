"""The dashboard of a million orders: `make bench-dashboard` writes its table.

The page is opened in a real Chromium, on the machine that everything else runs on too.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import duckdb
from playwright.sync_api import Page, sync_playwright
from support.chromium import find

from bench.launch import launch
from bench.page import write_block
from bench.reports import ORDERS, fill

TRIES = 5
# the time until what a filter changes is drawn
FILTER = """async (filters) => {
    const began = performance.now();
    history.replaceState(null, "", addressOf(filtersOf(filters)));
    await page.show();
    return performance.now() - began;
}"""
VIEWS = {
    "30 days": {"from": "2026-01-30"},
    "a use case": {"use_case": "2FA"},
    "30 days of a use case": {"from": "2026-01-30", "use_case": "2FA"},
    "a campaign": {"campaign": "c7"},
    "everything": {},
}


def main() -> None:
    """Fills a database, writes its page, opens it, and writes the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = folder / "orders.duckdb"
        with duckdb.connect(str(database)) as connection:
            fill(connection)
        environment = {
            "DESTINATION__DUCKDB__CREDENTIALS": str(database),
            "DLT_DATA_DIR": str(folder / "dlt"),
        }
        command = [sys.executable, "-m", "pipelines", "dashboard", "--out", "page.html"]
        cost = launch(command, environment, folder)
        page = folder / "page.html"
        rows = [
            ("written in, s", f"{cost.seconds:.1f}", "15"),
            ("memory of the command, MB", f"{cost.memory:,.0f}", "500"),
            ("size of the page, MB", f"{page.stat().st_size / 1e6:.2f}", "3.5"),
            *timed(page),
        ]
    lines = [f"| {what} | {found} | {limit} |" for what, found, limit in rows]
    head = f"| a page of {ORDERS:,} orders | measured | at most |\n|---|---|---|"
    write_block("dashboard", "\n".join([head, *lines]))


def timed(path: Path) -> list[tuple[str, str, str]]:
    """How long the page takes to open, and each view to be drawn; medians."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find())
        opened = []
        for _ in range(TRIES):
            page = browser.new_page()
            page.goto(path.as_uri())
            page.wait_for_selector("body[data-ready]", state="attached")
            opened.append(page.evaluate("performance.now()"))
        rows = [("opened and drawn in, s", f"{statistics.median(opened) / 1000:.2f}", "2")]
        rows += [(f"filter: {name}, ms", f"{median(page, name):.0f}", "100") for name in VIEWS]
        browser.close()
    return rows


def median(page: Page, name: str) -> float:
    """Milliseconds until a view is drawn, coming from the whole."""
    found: list[float] = []
    for _ in range(TRIES):
        page.evaluate(FILTER, {} if VIEWS[name] else VIEWS["a use case"])
        found.append(page.evaluate(FILTER, VIEWS[name]))
    return statistics.median(found)


if __name__ == "__main__":
    main()
