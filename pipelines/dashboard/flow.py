"""The picture of what came in, what went out and what is left, day by day."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.dashboard.axes import count_ticks, day_axis, y_axis
from pipelines.dashboard.board import Flow
from pipelines.dashboard.svg import Frame, Point, Scale, area, element, line, stacked, text, tip
from pipelines.dashboard.words import full_day, number

# the share of the height that the lower plot takes
LOWER = 0.3


def cumulative_flow(frame: Frame, flow: Sequence[Flow]) -> str:
    """Orders arrived and processed so far in one plot, those open in another one below it."""
    upper, lower = stacked(frame, LOWER)
    first, last = flow[0].day.toordinal(), flow[-1].day.toordinal()
    x = Scale(first, max(last, first + 1), frame.left, frame.x_end)
    at = [x(f.day.toordinal()) for f in flow]
    drawn = _so_far(upper, at, flow) + _open(lower, at, flow)
    drawn += day_axis(lower, x, [f.day for f in flow])
    return drawn + _hits(frame, at, flow)


def _so_far(frame: Frame, at: Sequence[float], flow: Sequence[Flow]) -> str:
    ticks = count_ticks(max(f.arrived for f in flow), 4)
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top)
    arrived = [Point(x, y(f.arrived)) for x, f in zip(at, flow, strict=True)]
    processed = [Point(x, y(f.processed)) for x, f in zip(at, flow, strict=True)]
    drawn = y_axis(frame, y, ticks) + area([*arrived, *reversed(processed)], "between")
    return drawn + line(arrived, "line first all") + line(processed, "line third done")


def _open(frame: Frame, at: Sequence[float], flow: Sequence[Flow]) -> str:
    ticks = count_ticks(max(f.open for f in flow), 2)
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top)
    left = [Point(x, y(f.open)) for x, f in zip(at, flow, strict=True)]
    drawn = y_axis(frame, y, ticks)
    drawn += area([Point(at[0], y(0)), *left, Point(at[-1], y(0))], "heap")
    drawn += line(left, "line second all")
    return drawn + text(Point(frame.left, frame.top - 9), "open at the end of the day")


def _hits(frame: Frame, at: Sequence[float], flow: Sequence[Flow]) -> str:
    width = (frame.x_end - frame.left) / len(flow)
    return "".join(
        element(
            "rect", tip(_told(f)), x=x - width / 2, y=frame.top, width=width,
            height=frame.y_end - frame.top, class_="hit",
        )
        for x, f in zip(at, flow, strict=True)
    )  # fmt: skip


def _told(f: Flow) -> str:
    return (
        f"{full_day(f.day)}: {number(f.arrived)} arrived so far,"
        f" {number(f.processed)} processed, {number(f.open)} open"
    )
