"""Rows of a query as text for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

COLUMN_GAP = 2


def render(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int = 100) -> str:
    """The rows under their column names, or one below the other where the lines are too short.

    Times are in UTC; `width` is in characters.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    needed = sum(
        COLUMN_GAP + max(map(cell_len, (name, *(row[position] for row in cells))))
        for position, name in enumerate(columns)
    )
    if needed - COLUMN_GAP > width and len(columns) > 1:
        return _one_below_the_other(columns, cells)
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
    for position, name in enumerate(columns):
        numeric = all(isinstance(row[position], (int, float)) for row in rows)
        table.add_column(name, justify="right" if rows and numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    console = Console(width=max(width, needed), highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def _one_below_the_other(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    longest = max(map(cell_len, columns))
    blocks = [
        "\n".join(f"{name:<{longest}}  {value}" for name, value in zip(columns, row, strict=True))
        for row in rows
    ]
    return "\n\n".join(blocks) if blocks else "  ".join(columns)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, float):
        return f"{value:,.2f}"
    return str(value)
