"""The setting `reports.sla`, read from files and the environment."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from support import Workspace

from pipelines.reporting.promises import Promise, parse_promises, with_default
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ("4", "has to be a list of tables"),
        ({"hours": 4}, "has to be a list of tables"),
        ([4], "has to be a list of tables"),
        ([{}], r"number 1: hours \(None\) has to be a number"),
        ([{"hours": True}], "has to be a number"),
        ([{"hours": 0}], "more than 0"),
        ([{"hours": float("nan")}], "more than 0"),
        ([{"hours": 2_000_000}], "at most"),
        ([{"hours": 4, "brands": "x"}], "brands is not known; known are hours"),
        ([{"hours": 4, "brand": " "}], "has to be a text that says which"),
        ([{"hours": 4, "use_case": 2}], "has to be a text that says which"),
        ([{"hours": 4, "since": "soon"}], "has to be a day"),
        ([{"hours": 4, "since": 2026}], "has to be a day"),
        ([{"hours": 4, "campaign": "c", "brand": "b"}], "leave brand and use_case out"),
        ([{"hours": 4, "use_case": "2FA"}, {"hours": 5, "use_case": "2fa"}], "two things for"),
        ([{"hours": 4}, {"hours": 5, "brand": "x"}, {"hours": 6}], "two things for all orders"),
    ],
)
def test_what_cannot_be_meant_is_refused(entries: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        parse_promises(entries)


def test_as_text_they_are_json() -> None:
    found = parse_promises('[{"hours": 4, "brand": "ABC", "since": "2026-01-01"}]')
    assert found == [Promise(4.0, brand="abc", since=date(2026, 1, 1))]
    assert found[0].label == "brand abc"


def test_one_for_all_orders_takes_the_place_of_the_main_target() -> None:
    later = Promise(2.0, since=date(2026, 1, 1))
    assert with_default([later], 24) == [Promise(24), later]
    assert with_default([Promise(8)], 24) == [Promise(8)]


def test_entries_of_a_settings_file_count(space: SimulatedSpace, workspace: Workspace) -> None:
    campaign = space.world.truth_campaigns()[0][1]["id"]
    (workspace.folder / ".dlt").mkdir()
    (workspace.folder / ".dlt" / "config.toml").write_text(
        f"""
        [[reports.sla]]
        hours = 4
        use_case = "2FA"
        since = 2026-01-01

        [[reports.sla]]
        hours = 0.5
        campaign = "{campaign.upper()}"
        """
    )
    assert workspace.command("run", space=space).returncode == 0
    rows = workspace.rows("SELECT * FROM signalwire_reports.promises ORDER BY priority")
    assert [(r["promise"], r["promised_hours"], r["since"]) for r in rows] == [
        ("all orders", 24, date(1970, 1, 1)),
        ("use case 2FA", 4, date(2026, 1, 1)),
        (f"campaign {campaign}", 0.5, date(1970, 1, 1)),
    ]
    orders = workspace.rows("SELECT * FROM signalwire_reports.order_processing")
    assert {r["promised_hours"] for r in orders if r["campaign_id"] == campaign} == {0.5}
    shares = workspace.command("report", "sla_attainment", "--format", "csv").stdout
    assert f"campaign {campaign}" in shares
