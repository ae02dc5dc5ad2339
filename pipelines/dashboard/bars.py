"""The pictures that are bars with names: open orders by age, targets and how far they are met."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.dashboard.board import Age, TargetShare
from pipelines.dashboard.svg import Frame, Point, element, text, tip
from pipelines.dashboard.words import counted, hours, number, percent


def ages(frame: Frame, backlog: Sequence[Age]) -> str:
    """How many open orders have waited how long, one bar below the other."""
    highest = max(age.orders for age in backlog) or 1
    rows = [
        (age.name, age.orders / highest, number(age.orders),
         f"{age.name}: {counted(age.orders, 'open order')}"
         + (f", the oldest {hours(age.oldest)}" if age.oldest is not None else ""))
        for age in backlog
    ]  # fmt: skip
    return _bars(frame, rows, "bar open")


def attainment(frame: Frame, targets: Sequence[TargetShare]) -> str:
    """Which share of the orders is processed within each target."""
    rows = [
        (f"{hours(t.hours)}{' (main)' if t.is_main else ''}", t.share or 0.0, percent(t.share),
         f"within {hours(t.hours)}: {percent(t.share)} of {counted(t.orders, 'order')}")
        for t in targets
    ]  # fmt: skip
    return _bars(frame, rows, "bar", track=True)


def _bars(
    frame: Frame, rows: Sequence[tuple[str, float, str, str]], class_: str, *, track: bool = False
) -> str:
    """Bars from left to right: name, length from 0 to 1, value in words, and the whole of it."""
    height = (frame.y_end - frame.top) / len(rows)
    thick = min(height * 0.62, 26)
    longest = frame.x_end - frame.left
    drawn = ""
    for position, (name, length, value, told) in enumerate(rows):
        y = frame.top + position * height + (height - thick) / 2
        base = y + thick / 2 + 4
        full = {"x": frame.left, "y": y, "height": thick}
        bar = element("rect", class_="track", width=longest, **full) if track else ""
        bar += element("rect", class_=class_, width=max(length * longest, 1.0), **full)
        bar += text(Point(frame.left - 8, base), name, anchor="end")
        at = frame.x_end if track else frame.left + length * longest
        bar += text(Point(at + 8, base), value, "label strong")
        drawn += element("g", tip(told) + bar)
    return drawn
