"""Tables as people see them: their columns, and that a terminal acts on nothing in them."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from support import Workspace
from support.processes import on_a_terminal

from pipelines.cli.output import render
from sources.simulator import SimulatedSpace


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "name  n"),
        ([("a", 1), ("bb", 20)], "name   n\na      1\nbb    20"),
        ([("[red]x", None)], "name    n\n[red]x  -"),
        ([("a", datetime(1, 1, 1, tzinfo=timezone.utc))], "name  n\na     0001-01-01 00:00:00Z"),
        ([("漢字", 1.5), ("é", Decimal(1000))], "name         n\n漢字      1.50\né     1,000.00"),
        ([(":b:", "left"), (None, "\x1b[1m")], "name  n\n:b:   left\n-     \\x1b[1m"),
    ],
)
def test_query_results_as_a_table(rows: list[tuple[Any, ...]], text: str) -> None:
    assert render(["name", "n"], rows) == text


def test_one_column_stays_a_table_however_wide_it_is() -> None:
    assert render(["name"], [("a" * 40,), ("",), ("b",)], width=20) == f"name\n{'a' * 40}\n\nb"


def test_wide_names_stand_as_wide_in_blocks() -> None:
    assert (
        render(["漢字", "n"], [("a", 1), ("b", 2)], width=5)
        == "漢字  a\nn     1\n\n漢字  b\nn     2"
    )


@pytest.mark.parametrize(
    "command",
    [
        ("report", "processing_time_by_use_case"),
        ("reports", "list"),
        ("query", "SELECT state, count(*) AS orders FROM orders GROUP BY ALL"),
    ],
    ids=lambda command: command[0],
)
def test_a_table_on_a_terminal_is_the_one_in_a_file(
    space: SimulatedSpace, workspace: Workspace, command: tuple[str, ...]
) -> None:
    workspace.run(space)
    shown = on_a_terminal(workspace, command, COLUMNS="200")
    assert "\x1b" not in shown
    assert "\\x1b" not in shown
    assert shown.splitlines() == workspace.command(*command, COLUMNS="200").stdout.splitlines()
