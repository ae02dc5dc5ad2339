"""Fixtures: a real browser, and pages of what is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.chromium import find
from support.dashboards import OpenPage, loaded
from support.pages import Browser, Page, running_browser

from pipelines.dashboard.page import render


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without a browser one test fails and says why; those that need it are left out."""
    needing = [item for item in items if "browser" in getattr(item, "fixturenames", ())]
    if needing and not find():
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests of this process."""
    program = find()
    assert program
    with running_browser(program) as started:
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
