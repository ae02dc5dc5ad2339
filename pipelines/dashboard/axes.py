"""Axes: where their ticks stand, what they are called, and the lines and letters of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from pipelines.dashboard.svg import LETTER, Frame, Point, Scale, TimeScale, element, text
from pipelines.dashboard.words import DAY, MINUTE, day, number

TIMES = (
    (MINUTE, "1 min"), (10 * MINUTE, "10 min"), (1.0, "1 h"), (4.0, "4 h"), (DAY, "1 d"),
    (7 * DAY, "7 d"), (30 * DAY, "30 d"), (180 * DAY, "180 d"), (730 * DAY, "2 y"),
    (3650 * DAY, "10 y"), (36500 * DAY, "100 y"),
)  # fmt: skip


def nice_ticks(highest: float, most: int = 5, unit: float = 1.0) -> list[float]:
    """Round values from zero to `highest` or a little more, in round multiples of `unit`."""
    rough = max(highest, unit * 1e-9) / unit / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [index * step * unit for index in range(math.ceil(highest / unit / step - 1e-9) + 1)]


def count_ticks(highest: float, most: int = 5) -> list[tuple[float, str]]:
    """Ticks for numbers of orders: whole ones."""
    return [(tick, _compact(tick)) for tick in nice_ticks(max(highest, most), most)]


def _compact(value: float) -> str:
    """A count that fits beside an axis: 90,000, 200 k, 1.5 M."""
    if value < 100_000:
        return number(value)
    unit, name = (1_000_000, "M") if value >= 1_000_000 else (1_000, "k")
    return f"{value / unit:,g} {name}"


def hour_ticks(highest: float, most: int = 5) -> list[tuple[float, str]]:
    """Ticks for hours, told in the unit that fits the highest."""
    highest = max(highest, MINUTE)
    unit, name = (DAY, "d") if highest > 4 * DAY else (1.0, "h") if highest > 2 else (MINUTE, "min")
    ticks = nice_ticks(highest, most, unit)
    return [(tick, f"{round(tick / unit, 2):,g} {name}" if tick else "0") for tick in ticks]


def y_axis(
    frame: Frame, scale: Callable[[float], float], ticks: Iterable[tuple[float, str]]
) -> str:
    """Lines across the plot, with what they stand for on their left."""
    drawn = ""
    for value, name in ticks:
        y = scale(value)
        drawn += element("line", x1=frame.left, x2=frame.x_end, y1=y, y2=y, class_="grid")
        drawn += text(Point(frame.left - 7, y + 4), name, anchor="end")
    return drawn


def x_axis(frame: Frame, ticks: Iterable[tuple[float, str]], *, grid: bool = False) -> str:
    """The line below the plot; `ticks` are places and names, left out where they would overlap."""
    bottom = frame.y_end
    drawn = element("line", x1=frame.left, x2=frame.x_end, y1=bottom, y2=bottom, class_="axis")
    free = -math.inf
    for x, name in ticks:
        half = len(name) * LETTER / 2
        if x - half < free or x > frame.x_end + 1:
            continue
        free = x + half + LETTER
        top = frame.top if grid else bottom
        drawn += element("line", x1=x, x2=x, y1=top, y2=bottom + 4, class_="grid")
        anchor, at = ("end", frame.width) if x + half > frame.width else ("middle", x)
        drawn += text(Point(at, bottom + 18), name, anchor=anchor)
    return drawn


def time_axis(frame: Frame, scale: TimeScale) -> str:
    """The logarithmic axis of hours, with its slot for less than a minute."""
    ticks = [(scale(hours), name) for hours, name in TIMES if hours <= scale.longest]
    return x_axis(frame, [(scale(0), "<1 min"), *ticks], grid=True)


def day_axis(frame: Frame, scale: Scale, days: Sequence[date]) -> str:
    """The axis of days; it names some of those that are there, years with them if they are many."""
    most = 5 if frame.is_narrow else 8
    every = max(1, -(-len(days) // most))
    far = (days[-1] - days[0]).days > 330
    named = days[::-1][::every][::-1]
    return x_axis(frame, [(scale(d.toordinal()), f"{d:%b %Y}" if far else day(d)) for d in named])
