"""Runs here make no views, unless a test looks at them: they would be a third of the time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def without_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS__APPLY", "false")


@pytest.fixture
def with_reports(without_reports: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The opposite, for a test that asks for it."""
    monkeypatch.setenv("REPORTS__APPLY", "true")
