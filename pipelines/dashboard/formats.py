"""Values as readers see them: durations, counts, shares, times. The templates' filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

NONE = "\N{EN DASH}"
# keeps a number and its unit on one line
GAP = "\N{NO-BREAK SPACE}"


def hours(value: float | None, none: str = NONE) -> str:
    """A duration given in hours: 42 min, 3.4 h, 2.1 d."""
    if value is None:
        return none
    minutes = round(value * 60)
    if minutes < 1:
        return f"under 1{GAP}min" if value > 0 else f"0{GAP}min"
    if minutes < 60:
        return f"{minutes}{GAP}min"
    return f"{_short(value)}{GAP}h" if value <= 48 else f"{_short(value / 24)}{GAP}d"


def number(value: float) -> str:
    """A count, with thousands separators."""
    return f"{round(value):,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """A count and its noun: 1 order, 2 orders."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """A share from 0 to 1; rounding never makes it 0 or 100 %."""
    if share is None:
        return NONE
    if 0 < share < 0.001:
        return f"under 0.1{GAP}%"
    return f"over 99.9{GAP}%" if 0.999 < share < 1 else f"{_short(share * 100)}{GAP}%"


def moment(value: datetime | None) -> str:
    """A time in UTC: 2 March 2026, 12:00 UTC."""
    at = value and value.astimezone(timezone.utc)
    return f"{at.day} {at:%B %Y, %H:%M} UTC" if at else NONE


def stamp(value: datetime | None) -> str:
    """A time in UTC for a table: 2026-03-02 12:00."""
    return f"{value.astimezone(timezone.utc):%Y-%m-%d %H:%M}" if value else NONE


def cut(text: str | None, longest: int = 100) -> str:
    """A text from the API, cut to a length that a page can show."""
    text = text or NONE
    return text if len(text) <= longest else text[: longest - 1] + "…"


# how a column of a table is shown by its kind, where that is not a text; see tables.py
SHOWN: dict[str, Callable[[Any], str]] = {
    "count": number,
    "hours": hours,
    "endless": lambda value: hours(value, "not yet"),
    "share": percent,
    "places": lambda value: "no limit" if value is None else number(value),
    "time": stamp,
}


def _short(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
