"""The pictures of processing times, each drawn from plain values. Durations are in hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from pipelines.dashboard.axes import (
    count_ticks,
    day_axis,
    hour_ticks,
    time_axis,
    y_axis,
)
from pipelines.dashboard.board import Bin, Period, Step, Summary
from pipelines.dashboard.svg import (
    Frame,
    Point,
    Scale,
    TimeScale,
    area,
    element,
    line,
    stacked,
    steps,
    text,
    tip,
)
from pipelines.dashboard.words import MINUTE, counted, full_day, hours, number, percent

Pick = Callable[[Period], float | None]
BINS_PER_DECADE = 8
# more of them would only be a thicker line
MOST_MARKS = 60


def over_time(frame: Frame, periods: Sequence[Period], period: str) -> str:
    """Median and, below, p90 by when orders were created: of all orders, and of the processed."""
    upper, lower = stacked(replace(frame, top=20), 0.44, gap=34)
    days = [p.start for p in periods]
    first, last = days[0].toordinal(), days[-1].toordinal()
    x = Scale(first, max(last, first + 1), frame.left + 8, frame.x_end - 8)
    drawn = day_axis(lower, x, days)
    for plot, name, series in (
        (upper, "median", (("first done", _MEDIAN), ("first all", _MEDIAN_ALL))),
        (lower, "90th percentile", (("second done", _P90), ("second all", _P90_ALL))),
    ):
        drawn += _series(plot, x, periods, series)
        drawn += text(Point(frame.left, plot.top - 9), name, "label strong")
    width = (frame.x_end - frame.left) / len(periods)
    return drawn + "".join(
        _hit(frame, x(p.start.toordinal()) - width / 2, width, _period_told(p, period))
        for p in periods
    )


_MEDIAN, _MEDIAN_ALL = attrgetter("median"), attrgetter("median_all")
_P90, _P90_ALL = attrgetter("p90"), attrgetter("p90_all")


def _series(
    frame: Frame, x: Scale, periods: Sequence[Period], series: Sequence[tuple[str, Pick]]
) -> str:
    """The lines of one plot, on a scale that fits them."""
    known = [value for _, pick in series for p in periods if (value := pick(p)) is not None]
    ticks = hour_ticks(max(known, default=1.0), 4)
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top)
    drawn = y_axis(frame, y, ticks)
    for class_, pick in series:
        for run in _runs(periods, pick):
            points = [Point(x(p.start.toordinal()), y(value)) for p, value in run]
            drawn += line(points, f"line {class_}")
            # a value without neighbours has no line to be seen by
            if (len(periods) <= MOST_MARKS and "all" in class_) or len(points) == 1:
                drawn += "".join(_mark(point, class_) for point in points)
    return drawn


def survival(frame: Frame, curve: Sequence[Step]) -> str:
    """The share of orders still waiting after some hours, with its band, and the naive one."""
    x = TimeScale(curve[-1].hours, frame.left, frame.x_end)
    y = Scale(0, 1, frame.y_end, frame.top)
    drawn = y_axis(frame, y, [(s / 4, f"{s * 25} %") for s in range(5)]) + time_axis(frame, x)
    start, end = Point(frame.left, y(1)), frame.x_end
    known = [s for s in curve if s.lower is not None and s.upper is not None]
    lower = steps([Point(x(s.hours), y(s.lower or 0)) for s in known])
    upper = steps([Point(x(s.hours), y(s.upper or 0)) for s in known])
    drawn += area([*upper, *reversed(lower)], "band") if known else ""
    naive = [Point(x(s.hours), y(s.naive)) for s in curve if s.naive is not None]
    drawn += line(_to(steps([start, *naive]), end), "line second done") if naive else ""
    waiting = [Point(x(s.hours), y(s.share)) for s in curve]
    drawn += line(_to(steps([start, *waiting]), end), "line first all")
    # as many places to point at as a finger can tell apart
    every = max(1, len(curve) // 60)
    shown = [*curve[::every], curve[-1]] if (len(curve) - 1) % every else curve[::every]
    for step, after in zip(shown, [*shown[1:], None], strict=True):
        left, right = x(step.hours), x(after.hours) if after else end
        drawn += _hit(frame, left, max(right - left, 0.5), _step_told(step))
    return drawn


def histogram(frame: Frame, bins: Sequence[Bin], summary: Summary) -> str:
    """How many processed orders took how long."""
    x = TimeScale(bin_start(bins[-1].place + 1), frame.left, frame.x_end)
    ticks = count_ticks(max(b.orders for b in bins))
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top + 28)
    drawn = y_axis(frame, y, ticks) + time_axis(frame, x)
    for b in bins:
        left = x(bin_start(b.place)) if b.place >= 0 else frame.left + 2
        right = x(bin_start(b.place + 1)) if b.place >= 0 else frame.left + x.slot - 4
        drawn += element(
            "rect", tip(f"{bin_told(b)}: {counted(b.orders, 'order')}"), class_="bar",
            x=left + 0.5, width=max(right - left - 1, 0.5),
            y=y(b.orders), height=frame.y_end - y(b.orders),
        )  # fmt: skip
    return (
        drawn
        + _quantile(frame, x, summary.median, "median", 8)
        + _quantile(frame, x, summary.p90, "p90", 21)
    )


def _quantile(frame: Frame, x: TimeScale, value: float | None, name: str, height: float) -> str:
    """A line across the plot with its name at its top, where it does not leave the picture."""
    if value is None:
        return ""
    at, y = x(value), frame.top + height
    drawn = element("line", x1=at, x2=at, y1=y - 9, y2=frame.y_end, class_="quantile")
    aside, anchor = (4, "start") if at < frame.x_end - 90 else (-4, "end")
    return drawn + text(Point(at + aside, y), f"{name} {hours(value)}", "label strong halo", anchor)


def bin_start(place: int) -> float:
    """The least hours that belong into a class of the histogram."""
    return float(MINUTE * 10.0 ** (place / BINS_PER_DECADE))


def bin_told(b: Bin) -> str:
    """A class of the histogram in words."""
    if b.place < 0:
        return hours(MINUTE / 2)
    return f"{hours(bin_start(b.place))} to {hours(bin_start(b.place + 1))}"


def _runs(periods: Sequence[Period], pick: Pick) -> list[list[tuple[Period, float]]]:
    """The stretches of periods whose value is known: a line must not cross what is not."""
    found: list[list[tuple[Period, float]]] = [[]]
    for p in periods:
        value = pick(p)
        if value is not None:
            found[-1].append((p, value))
        elif found[-1]:
            found.append([])
    return [run for run in found if run]


def _mark(at: Point, class_: str) -> str:
    """A dot for the first series and a square for the second, so that colour is not all."""
    if "first" in class_:
        return element("circle", cx=at.x, cy=at.y, r=3.2, class_=f"mark {class_}")
    return element("rect", x=at.x - 3, y=at.y - 3, width=6, height=6, class_=f"mark {class_}")


def _hit(frame: Frame, left: float, width: float, told: str) -> str:
    """A strip of the plot that tells its values to a pointer that rests on it."""
    return element("rect", tip(told), x=left, y=frame.top, width=width,
                   height=frame.y_end - frame.top, class_="hit")  # fmt: skip


def _to(points: list[Point], end: float) -> list[Point]:
    return [*points, Point(end, points[-1].y)]


def _period_told(p: Period, period: str) -> str:
    when = f"{'Week of ' if period == 'week' else ''}{full_day(p.start)}"
    return (
        f"{when}: {counted(p.orders, 'order')}, {number(p.open)} open\n"
        f"median {hours(p.median_all, 'not yet')}, p90 {hours(p.p90_all, 'not yet')}\n"
        f"of the processed only: {hours(p.median)}, {hours(p.p90)}"
    )


def _step_told(step: Step) -> str:
    band = (
        f" (95 %: {percent(step.lower)} to {percent(step.upper)})" if step.lower is not None else ""
    )
    naive = f"\nby processed orders alone {percent(step.naive)}" if step.naive is not None else ""
    return f"after {hours(step.hours)} {percent(step.share)} still wait{band}{naive}"
