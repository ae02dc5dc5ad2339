"""Runs here make no views, which would be a third of what they take."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def without_reports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS__APPLY", "false")
