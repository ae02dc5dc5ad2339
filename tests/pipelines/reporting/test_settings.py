"""The settings of reports: the earlier names are still read, and a run says so once."""

from __future__ import annotations

import pytest
from support import Workspace

from pipelines.destinations.configuration import register_defaults
from pipelines.reporting.catalog import configured_reports, require_report_settings


def target_hours() -> str:
    """What the view of the targets is made of."""
    register_defaults()
    return configured_reports()["processing_targets"].query.partition("VALUES ")[2]


def test_without_any_the_shipped_defaults_count(workspace: Workspace) -> None:
    assert target_hours().startswith("(1.0, FALSE), (4.0, FALSE), (24.0, TRUE), (48.0, FALSE))")


def test_the_earlier_names_count_and_are_said_once(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("REPORTS__TARGETS", "[3, 24]")
    assert target_hours().startswith("(3.0, FALSE), (24.0, TRUE))")
    assert caplog.messages == []
    require_report_settings()
    (said,) = caplog.messages
    assert "reports.targets is now reports.sla_hours" in said


def test_the_new_name_wins(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPORTS__TARGETS", "[3, 24]")
    monkeypatch.setenv("REPORTS__SLA_HOURS", "[5, 24]")
    assert target_hours().startswith("(5.0, FALSE), (24.0, TRUE))")
