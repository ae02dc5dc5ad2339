"""What commands print: tables, CSV, JSON and Markdown, on any terminal, pipe or closed stream."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any, TextIO

from sources.printable import ACTING, printable

COLUMN_GAP = 2


def prepare() -> None:
    """Opens closed streams to /dev/null, and replaces characters that a stream cannot encode."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # the lowest free number is this one: no other file may get a standard stream's
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            opened = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
        elif isinstance(stream, io.TextIOWrapper):
            # buffered until the end, where a failure is seen: argparse ignores one
            stream.reconfigure(errors="replace", write_through=False)


def is_of_output(error: BaseException) -> bool:
    """Whether an error comes from writing to standard output: those of files name their file."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return isinstance(error, OSError) and error.errno in full and error.filename is None


def flush() -> OSError | None:
    """Writes out what is buffered, so that the interpreter's exit cannot fail; else why not.

    Raises:
        BrokenPipeError: the reader of standard output has closed it.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        return error
    return None


def flush_errors() -> None:
    """Writes out what standard error holds, or drops it where that fails."""
    try:
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Redirects a stream that cannot be written to /dev/null."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def json_text(value: Any, *, compact: bool = False) -> str:
    """JSON that any terminal can show: control characters are escaped."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
    separators = (",", ":") if compact else None
    text = json.dumps(value, ensure_ascii=not unicode, separators=separators)
    # all of them are inside strings, where an escape means the same
    return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def render(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, width: int = 100) -> str:
    """The rows as a table; as one block of lines each where the table is wider than `width`.

    Times are in UTC; `width` is in characters.
    """
    from rich.cells import cell_len

    columns, cells = _as_cells(columns, rows)
    if len(columns) > 1 and _width(columns, cells) > width:
        return _vertical(columns, cells)
    padded = []
    for position, column in enumerate(zip(columns, *cells, strict=True)):
        numbers = [isinstance(row[position], (int, float, Decimal)) for row in rows]
        to_the_right = bool(numbers) and all(numbers)
        longest = max(map(cell_len, column))
        pads = (" " * (longest - cell_len(cell)) for cell in column)
        padded.append([p + c if to_the_right else c + p for c, p in zip(column, pads, strict=True)])
    gap = " " * COLUMN_GAP
    return "\n".join(gap.join(line).rstrip() for line in zip(*padded, strict=True))


def fits(columns: Sequence[str], rows: Sequence[Sequence[Any]], width: int) -> bool:
    """Whether `render` prints a table in so many characters."""
    return _width(*_as_cells(columns, rows)) <= width


def terminal_width() -> int:
    """The width of the terminal in characters; 100 without one."""
    return shutil.get_terminal_size((100, 24)).columns


def _as_cells(
    columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[list[str], list[list[str]]]:
    return [printable(name) for name in columns], [[_cell(value) for value in row] for row in rows]


def _width(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> int:
    from rich.cells import cell_len

    longest = (max(map(cell_len, column)) for column in zip(columns, *cells, strict=True))
    return sum(longest) + COLUMN_GAP * (len(columns) - 1)


def _vertical(columns: Sequence[str], cells: Sequence[Sequence[str]]) -> str:
    from rich.cells import cell_len

    longest = max(map(cell_len, columns))
    names = [name + " " * (longest - cell_len(name) + COLUMN_GAP) for name in columns]
    blocks = ["\n".join(n + cell for n, cell in zip(names, row, strict=True)) for row in cells]
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


def as_csv(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as CSV with a header; times in ISO 8601 and UTC, nothing for null."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([["" if v is None else _plain(v) for v in row] for row in rows])
    return text.getvalue().rstrip("\n")


def as_json(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as a JSON list of objects; times in ISO 8601 and UTC."""
    records = [dict(zip(columns, map(_plain, row), strict=True)) for row in rows]
    return json_text(records)


def as_markdown(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
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


FORMATS: dict[str, Callable[[Sequence[str], Sequence[Sequence[Any]]], str]] = {
    "csv": as_csv,
    "json": as_json,
    "markdown": as_markdown,
}
