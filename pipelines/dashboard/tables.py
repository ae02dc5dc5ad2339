"""The lists of the page: campaigns, stuck orders, and the numbers behind a picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pipelines.dashboard.board import Campaign, Stuck
from pipelines.dashboard.words import cut, escaped, hours, number, percent, stamp

# bytes of rows in one table, so that a page stays below 2 MB however long names are
MOST_BYTES = 1_200_000


class Cell(NamedTuple):
    """What a cell shows, and the value to sort it by; None sorts behind all others."""

    shown: str
    sort: float | None = None
    class_: str = ""


class Column(NamedTuple):
    """A column's heading; `kind` is text or number, `sorted` the order it is in at first."""

    heading: str
    kind: str = "number"
    sorted: str = ""
    hint: str = ""


class Filled(NamedTuple):
    """A table, and how many rows fit into it."""

    html: str
    rows: int


def sortable_table(
    caption: str, columns: Sequence[Column], rows: Iterable[Sequence[Cell]], name: str
) -> Filled:
    """A table that the page's script lets people sort; a row's first cell is its heading."""
    written: list[str] = []
    size = 0
    for row in rows:
        html = _row(columns, row)
        size += len(html.encode())
        if size > MOST_BYTES:
            break
        written.append(html)
    head = "".join(_heading(column) for column in columns)
    table = (
        f'<div class="scroll" role="region" tabindex="0" aria-labelledby="{name}-caption">'
        f'<table id="{name}" data-sortable><caption id="{name}-caption">{escaped(caption)}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(written)}</tbody></table></div>"
    )
    return Filled(table, len(written))


def campaigns_table(campaigns: Sequence[Campaign], target: str) -> Filled:
    """The campaigns as they come, the slowest first."""
    columns = (
        Column("Campaign", "text"),
        Column("Brand", "text"),
        Column("Use case", "text"),
        Column("Orders"),
        Column("Open"),
        Column("Failed"),
        Column("Median, all", "number", "descending", "orders still waiting included"),
        Column("p90, all", hint="orders still waiting included"),
        Column("Median, processed", hint="of the processed orders alone"),
        Column("p90, processed", hint="of the processed orders alone"),
        Column(f"Within {target}"),
    )
    rows = (
        (
            Cell(cut(c.name)), Cell(cut(c.brand)), Cell(cut(c.use_case)),
            _count(c.orders), _count(c.open), _count(c.failed),
            _duration(c.median_all, endless=True), _duration(c.p90_all, endless=True),
            _duration(c.median), _duration(c.p90), Cell(percent(c.share_within), c.share_within),
        )
        for c in campaigns
    )  # fmt: skip
    caption = "Campaigns, the slowest first by the median of all their orders"
    return sortable_table(caption, columns, rows, "campaigns-table")


def stuck_table(stuck: Sequence[Stuck]) -> Filled:
    """Orders that wait longer than is usual, the oldest first."""
    columns = (
        Column("Order", "text"),
        Column("Campaign", "text"),
        Column("Brand", "text"),
        Column("State", "text"),
        Column("Created (UTC)", "text"),
        Column("Waiting", "number", "descending"),
        Column("Usual limit"),
        Column("Limit is", "text"),
    )
    rows = (
        (
            Cell(cut(s.order_id, 60), class_="id"), Cell(cut(s.campaign)), Cell(cut(s.brand)),
            Cell(cut(s.state, 40)), Cell(stamp(s.created_at), class_="short"),
            _duration(s.age), _duration(s.limit), Cell(s.limit_is, class_="short"),
        )
        for s in stuck
    )  # fmt: skip
    return sortable_table("Stuck orders, the oldest first", columns, rows, "stuck-table")


def plain_table(caption: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The numbers of a picture, behind a line that opens them."""
    head = "".join(f'<th scope="col">{escaped(heading)}</th>' for heading in headings)
    body = "".join(
        f'<tr><th scope="row">{escaped(first)}</th>{_plain(rest)}</tr>' for first, *rest in rows
    )
    return (
        f"<details><summary>The numbers</summary><div><table><caption>{escaped(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _plain(cells: Sequence[str]) -> str:
    return "".join(f'<td class="number">{escaped(cell)}</td>' for cell in cells)


def _heading(column: Column) -> str:
    order = f' aria-sort="{column.sorted}"' if column.sorted else ""
    hint = f' title="{escaped(column.hint)}"' if column.hint else ""
    return (
        f'<th scope="col" class="{column.kind}" data-kind="{column.kind}"{order}{hint}>'
        f'<button type="button" disabled>{escaped(column.heading)}</button></th>'
    )


def _row(columns: Sequence[Column], row: Sequence[Cell]) -> str:
    cells = "".join(_cell(column, cell) for column, cell in zip(columns[1:], row[1:], strict=True))
    kind = f' class="{row[0].class_}"' if row[0].class_ else ""
    return f'<tr><th scope="row"{kind}>{escaped(row[0].shown)}</th>{cells}</tr>'


def _cell(column: Column, cell: Cell) -> str:
    if column.kind == "text":
        kind = f' class="{cell.class_}"' if cell.class_ else ""
        return f"<td{kind}>{escaped(cell.shown)}</td>"
    value = "" if cell.sort is None else f"{cell.sort:.6g}"
    return f'<td class="number" data-value="{value}">{escaped(cell.shown)}</td>'


def _count(value: int) -> Cell:
    return Cell(number(value), float(value))


def _duration(value: float | None, *, endless: bool = False) -> Cell:
    """Hours; `endless` ones are not over yet where they are not known, and so the longest."""
    if value is None and endless:
        return Cell("not yet", float("inf"))
    return Cell(hours(value), value)


def told_if_cut(shown: int, total: int, noun: str) -> str:
    """How many of all are shown, where that is not all of them."""
    return (
        f"The first {number(shown)} of {number(total)} {noun} are shown." if shown < total else ""
    )
