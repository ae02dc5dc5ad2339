"""Rows of a query as text for people."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from pipelines.cli.streams import json_text
from sources.printable import printable

COLUMN_GAP = 2


def render(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int = 100) -> str:
    """The rows under their column names, or one below the other where the lines are too short.

    Times are in UTC; `width` is in characters.
    """
    columns = [printable(name) for name in columns]
    cells = [[_cell(value) for value in row] for row in rows]
    needed = sum(_widths(columns, cells))
    if needed - COLUMN_GAP > width and len(columns) > 1:
        return _one_below_the_other(columns, cells)
    table = Table(box=None, pad_edge=False, padding=(0, COLUMN_GAP, 0, 0), header_style="bold")
    for position, name in enumerate(columns):
        numeric = all(isinstance(row[position], (int, float, Decimal)) for row in rows)
        table.add_column(name, justify="right" if rows and numeric else "left", overflow="fold")
    for row in cells:
        table.add_row(*row)
    console = Console(width=max(width, needed), highlight=False, markup=False)
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def narrowed(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], less_important: Sequence[str], width: int
) -> tuple[list[str], list[list[Any]], list[str]]:
    """The rows without as many less important columns as it takes to fit, and those left out.

    All of them stay if even leaving out every less important one would not do.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    widths = dict(zip(columns, _widths(columns, cells), strict=True))
    left_out: list[str] = []
    for name in (n for n in less_important if n in widths):
        if sum(widths.values()) - COLUMN_GAP <= width:
            break
        left_out.append(name)
        del widths[name]
    if sum(widths.values()) - COLUMN_GAP > width:
        return [*columns], [[*row] for row in rows], []
    kept = [position for position, name in enumerate(columns) if name in widths]
    return [columns[p] for p in kept], [[row[p] for p in kept] for row in rows], left_out


def _widths(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> list[int]:
    return [
        COLUMN_GAP + max(map(cell_len, (name, *(row[position] for row in cells))))
        for position, name in enumerate(columns)
    ]


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
        # strftime leaves zeros out of a year such as 0001
        moment = value.astimezone(timezone.utc).replace(tzinfo=None)
        return f"{moment.isoformat(' ', 'seconds')}Z"
    if isinstance(value, (float, Decimal)):
        return f"{value:,.2f}"
    return printable(str(value))


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]], _width: int = 0) -> str:
    """The rows as CSV with a header; times in ISO 8601 and UTC, nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if v is None else _plain(v) for v in row] for row in rows])
    return text.getvalue().rstrip("\n")


def as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]], _width: int = 0) -> str:
    """The rows as a JSON list of objects; times in ISO 8601 and UTC."""
    records = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
    return json_text(records)


def as_markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]], _width: int = 0) -> str:
    """The rows as a Markdown table, for a message or a page."""
    names = [printable(name) for name in columns]
    lines = [[_in_one_line(value) for value in row] for row in rows]
    cells = [names, ["---"] * len(columns), *lines]
    escaped = ([re.sub(r"([\\|<])", r"\\\1", cell) for cell in row] for row in cells)
    return "\n".join(f"| {' | '.join(' '.join(c.split()) for c in row)} |" for row in escaped)


def _in_one_line(value: Any) -> str:
    # line breaks are only white space there
    return _cell(" ".join(value.split()) if isinstance(value, str) else value)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> str:
    return render(columns, rows, width=width)


FORMATS: dict[str, Callable[[Sequence[str], Sequence[Sequence[Any]], int], str]] = {
    "table": _as_table,
    "csv": as_csv,
    "json": as_json,
    "markdown": as_markdown,
}
