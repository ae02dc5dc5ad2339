"""Elements of SVG, and scales that put values onto a drawing. Lengths are in its own units."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

from pipelines.dashboard.words import DAY, MINUTE, escaped

# about the width of a letter of the labels
LETTER = 6.4


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


def stacked(frame: Frame, share: float, gap: float = 30) -> tuple[Frame, Frame]:
    """Two frames, one above the other; the lower one takes a share of the height."""
    middle = frame.y_end - (frame.y_end - frame.top) * share
    upper = replace(frame, bottom=frame.height - middle + gap)
    return upper, replace(frame, top=middle)


# the same picture twice, because letters must not shrink with it: for a screen and for a telephone
WIDE = (600.0, 290.0)
NARROW = (340.0, 250.0)


@dataclass(frozen=True)
class Scale:
    """A straight scale from the values `low` to `high` to places on a drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True)
class TimeScale:
    """Hours on a logarithmic axis from a minute on, with a slot before it for less, even zero."""

    longest: float
    start: float
    end: float
    slot: float = 26

    def __call__(self, hours: float) -> float:
        if hours < MINUTE:
            return self.start + self.slot / 2
        share = math.log(hours / MINUTE) / math.log(max(self.longest, DAY) / MINUTE)
        return self.start + self.slot + share * (self.end - self.start - self.slot)


def element(name: str, content: str = "", /, **attributes: object) -> str:
    """An element; `content` is SVG already, `class_` and `text_anchor` get the names SVG has."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute(value)}"'
        for key, value in attributes.items()
    )
    return f"<{name}{written}>{content}</{name}>" if content else f"<{name}{written}/>"


def text(at: Point, words: str, class_: str = "label", anchor: str = "start") -> str:
    """A line of words that begins, has its middle or ends at a place."""
    return element("text", escaped(words), x=at.x, y=at.y, class_=class_, text_anchor=anchor)


def tip(words: str) -> str:
    """What a pointer that rests on the element around it shows."""
    return element("title", escaped(words))


def line(points: Iterable[Point], class_: str) -> str:
    """A line through all points."""
    return element("polyline", points=_joined(points), class_=class_)


def area(points: Iterable[Point], class_: str) -> str:
    """What lies within a line through all points."""
    return element("polygon", points=_joined(points), class_=class_)


def steps(points: Sequence[Point]) -> list[Point]:
    """The points as stairs: each height holds until the next point."""
    stairs = list(points[:1])
    for before, after in pairwise(points):
        stairs += [Point(after.x, before.y), after]
    return stairs


def drawing(frame: Frame, content: str, summary: str) -> str:
    """The picture, which a screen reader tells as its summary."""
    size = f"0 0 {frame.width:g} {frame.height:g}"
    shown = "narrow" if frame.is_narrow else "wide"
    return element("svg", content, viewBox=size, class_=shown, role="img", aria_label=summary)


def _joined(points: Iterable[Point]) -> str:
    return " ".join(f"{point.x:.1f},{point.y:.1f}" for point in points)


def _attribute(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else escaped(value)
