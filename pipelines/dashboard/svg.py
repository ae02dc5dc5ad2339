"""SVG elements, scales and axes, in the drawing's own units of length."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from markupsafe import Markup, escape

from pipelines.dashboard.formats import DAY, MINUTE, day, number

# about the width of a letter of the labels
LETTER = 6.4
TIMES = (
    (MINUTE, "1 min"), (10 * MINUTE, "10 min"), (1.0, "1 h"), (4.0, "4 h"), (DAY, "1 d"),
    (7 * DAY, "7 d"), (30 * DAY, "30 d"), (180 * DAY, "180 d"), (730 * DAY, "2 y"),
    (3650 * DAY, "10 y"), (36500 * DAY, "100 y"),
)  # fmt: skip


class Point(NamedTuple):
    """A place on a drawing."""

    x: float
    y: float


@dataclass(frozen=True)
class Frame:
    """A drawing's size, and the plot inside its margins."""

    width: float
    height: float
    left: float = 46
    right: float = 14
    top: float = 10
    bottom: float = 26

    @property
    def x_end(self) -> float:
        return self.width - self.right

    @property
    def y_end(self) -> float:
        return self.height - self.bottom

    @property
    def is_narrow(self) -> bool:
        return self.width < 480

    def split(self, share: float, gap: float = 30) -> tuple[Frame, Frame]:
        """Two plots, one above the other; the lower one takes a share of the height."""
        middle = self.y_end - (self.y_end - self.top) * share
        return replace(self, bottom=self.height - middle + gap), replace(self, top=middle)


@dataclass(frozen=True)
class Scale:
    """A linear scale from the values `low` to `high` to places on a drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class TimeScale:
    """Hours on a logarithmic axis that starts at a minute, with a slot before it for less."""

    longest: float
    start: float
    end: float
    slot: float = 26

    def __call__(self, hours: float) -> float:
        if hours < MINUTE:
            return self.start + self.slot / 2
        share = math.log(hours / MINUTE) / math.log(max(self.longest, DAY) / MINUTE)
        return self.start + self.slot + share * (self.end - self.start - self.slot)


def element(name: str, *children: str, **attributes: object) -> Markup:
    """An element; children that are not SVG are escaped, `text_anchor` becomes text-anchor."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{Markup().join(children)}</{name}>")  # noqa: S704  # escaped


def text(at: Point, words: str, class_: str = "label", anchor: str = "start") -> Markup:
    """A line of words that starts, ends or is centred at a place."""
    return element("text", words, x=at.x, y=at.y, class_=class_, text_anchor=anchor)


def hit(frame: Frame, left: float, width: float, tooltip: str) -> Markup:
    """A strip of the plot that shows a tooltip to a pointer that rests on it."""
    return element(
        "rect", element("title", tooltip), x=left, y=frame.top, width=width,
        height=frame.y_end - frame.top, class_="hit",
    )  # fmt: skip


def line(points: Iterable[Point], class_: str) -> Markup:
    """A line through all points."""
    return element("polyline", points=_joined(points), class_=class_)


def area(points: Iterable[Point], class_: str) -> Markup:
    """The area that a line through all points encloses."""
    return element("polygon", points=_joined(points), class_=class_)


def steps(points: Sequence[Point]) -> list[Point]:
    """The points as a step curve: each height holds until the next point."""
    stairs = list(points[:1])
    for before, after in pairwise(points):
        stairs += [Point(after.x, before.y), after]
    return stairs


def bars(
    frame: Frame, rows: Sequence[tuple[str, float, str, str]], class_: str, *, track: bool = False
) -> Markup:
    """Horizontal bars: name, length from 0 to 1, value as text, and tooltip."""
    height = (frame.y_end - frame.top) / len(rows)
    thick = min(height * 0.62, 26)
    longest = frame.x_end - frame.left
    drawn = Markup()
    for position, (name, length, value, tooltip) in enumerate(rows):
        y = frame.top + position * height + (height - thick) / 2
        base = y + thick / 2 + 4
        box = {"x": frame.left, "y": y, "height": thick}
        bar = element("rect", class_="track", width=longest, **box) if track else Markup()
        bar += element("rect", class_=class_, width=max(length * longest, 1.0), **box)
        bar += text(Point(frame.left - 8, base), name, anchor="end")
        at = frame.x_end if track else frame.left + length * longest
        bar += text(Point(at + 8, base), value, "label strong")
        drawn += element("g", element("title", tooltip), bar)
    return drawn


def _joined(points: Iterable[Point]) -> str:
    return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in points)


def _attribute(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else escape(value)


def nice_ticks(highest: float, most: int = 5, unit: float = 1.0) -> list[float]:
    """Round values from zero to `highest` or a little more, in round multiples of `unit`."""
    rough = max(highest, unit * 1e-9) / unit / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    return [index * step * unit for index in range(math.ceil(highest / unit / step - 1e-9) + 1)]


def count_ticks(highest: float, most: int = 5) -> list[tuple[float, str]]:
    """Ticks for numbers of orders: 90,000, 200 k, 1.5 M."""

    def label(value: float) -> str:
        if value < 100_000:
            return number(value)
        unit, name = (1_000_000, "M") if value >= 1_000_000 else (1_000, "k")
        return f"{value / unit:,g} {name}"

    return [(tick, label(tick)) for tick in nice_ticks(max(highest, most), most)]


def hour_ticks(highest: float, most: int = 5) -> list[tuple[float, str]]:
    """Ticks for hours, in the unit that fits the highest."""
    highest = max(highest, MINUTE)
    unit, name = (DAY, "d") if highest > 4 * DAY else (1.0, "h") if highest > 2 else (MINUTE, "min")
    ticks = nice_ticks(highest, most, unit)
    return [(tick, f"{round(tick / unit, 2):,g} {name}" if tick else "0") for tick in ticks]


def y_axis(
    frame: Frame, scale: Callable[[float], float], ticks: Iterable[tuple[float, str]]
) -> Markup:
    """Grid lines across the plot, with labels on their left."""
    drawn = Markup()
    for value, name in ticks:
        y = scale(value)
        drawn += element("line", x1=frame.left, x2=frame.x_end, y1=y, y2=y, class_="grid")
        drawn += text(Point(frame.left - 7, y + 4), name, anchor="end")
    return drawn


def x_axis(frame: Frame, ticks: Iterable[tuple[float, str]], *, grid: bool = False) -> Markup:
    """The line below the plot; labels that would overlap are left out."""
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


def time_axis(frame: Frame, scale: TimeScale) -> Markup:
    """The logarithmic axis of hours, with its slot for less than a minute."""
    ticks = [(scale(hours), name) for hours, name in TIMES if hours <= scale.longest]
    return x_axis(frame, [(scale(0), "<1 min"), *ticks], grid=True)


def day_axis(frame: Frame, scale: Scale, days: Sequence[date]) -> Markup:
    """The axis of days, with months and years where it is longer than 11 months."""
    every = max(1, -(-len(days) // (5 if frame.is_narrow else 8)))
    far = (days[-1] - days[0]).days > 330
    labelled = days[::-1][::every][::-1]
    return x_axis(
        frame, [(scale(d.toordinal()), f"{d:%b %Y}" if far else day(d)) for d in labelled]
    )
