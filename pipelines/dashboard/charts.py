"""The six charts, drawn as SVG from plain values. Durations are in hours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import attrgetter

from markupsafe import Markup

from pipelines.dashboard.data import Bin, Dashboard, Flow, Period, Step
from pipelines.dashboard.formats import MINUTE, counted, full_day, hours, number, percent
from pipelines.dashboard.svg import (
    Frame,
    Point,
    Scale,
    TimeScale,
    area,
    bars,
    count_ticks,
    day_axis,
    element,
    hit,
    hour_ticks,
    line,
    steps,
    text,
    time_axis,
    y_axis,
)

BINS_PER_DECADE = 8
# more marks would only make the line thicker, more tooltips would be too thin to point at
MOST_MARKS = 60


def chart(name: str, board: Dashboard, label: str) -> Markup:
    """A chart in two sizes, for screens and for phones, since its letters must not shrink with it.

    The label is what a screen reader says.
    """
    drawn = Markup()
    for frame, class_ in ((Frame(600, 290), "wide"), (Frame(340, 250), "narrow")):
        size = f"0 0 {frame.width:g} {frame.height:g}"
        content = CHARTS[name](frame, board)
        drawn += element(
            "svg", content, viewBox=size, class_=class_, role="img", aria_label=label
        )  # fmt: skip
    return drawn


def _over_time(frame: Frame, board: Dashboard) -> Markup:
    """Median and, below, p90 by creation: of all orders, and of the processed ones."""
    periods = board.periods
    upper, lower = replace(frame, top=20).split(0.44, gap=34)
    days = [p.start for p in periods]
    first, last = days[0].toordinal(), days[-1].toordinal()
    x = Scale(first, max(last, first + 1), frame.left + 8, frame.x_end - 8)
    drawn = day_axis(lower, x, days)
    drawn += _durations(upper, x, periods, "first", "median")
    drawn += _durations(lower, x, periods, "second", "p90")
    for plot, name in ((upper, "median"), (lower, "90th percentile")):
        drawn += text(Point(frame.left, plot.top - 9), name, "label strong")
    width = (frame.x_end - frame.left) / len(periods)
    return drawn + Markup().join(
        hit(frame, x(p.start.toordinal()) - width / 2, width, _describe_period(p, board.period))
        for p in periods
    )


def _durations(
    frame: Frame, x: Scale, periods: Sequence[Period], colour: str, measure: str
) -> Markup:
    """A measure of the processed orders and of all, on a scale that fits both."""
    series = {"done": attrgetter(measure), "all": attrgetter(f"{measure}_all")}
    known = [v for pick in series.values() for p in periods if (v := pick(p)) is not None]
    ticks = hour_ticks(max(known, default=1.0), 4)
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top)
    drawn = y_axis(frame, y, ticks)
    for style, pick in series.items():
        runs: list[list[Point]] = [[]]
        for p in periods:
            if (value := pick(p)) is not None:
                runs[-1].append(Point(x(p.start.toordinal()), y(value)))
            elif runs[-1]:
                runs.append([])  # a line must not cross unknown values
        for points in filter(None, runs):
            drawn += line(points, f"line {colour} {style}")
            # a single point is invisible without its mark
            if (len(periods) <= MOST_MARKS and style == "all") or len(points) == 1:
                drawn += Markup().join(_mark(point, f"{colour} {style}") for point in points)
    return drawn


def _mark(at: Point, class_: str) -> Markup:
    """A dot for the first colour and a square for the second, so that shapes differ too."""
    if "first" in class_:
        return element("circle", cx=at.x, cy=at.y, r=3.2, class_=f"mark {class_}")
    return element("rect", x=at.x - 3, y=at.y - 3, width=6, height=6, class_=f"mark {class_}")


def _survival(frame: Frame, board: Dashboard) -> Markup:
    """The share of orders still waiting after some time with its band, and the naive share."""
    curve = board.survival
    x = TimeScale(curve[-1].hours, frame.left, frame.x_end)
    y = Scale(0, 1, frame.y_end, frame.top)
    start, end = Point(frame.left, y(1)), frame.x_end
    drawn = y_axis(frame, y, [(s / 4, f"{s * 25} %") for s in range(5)]) + time_axis(frame, x)
    if known := [s for s in curve if s.lower is not None and s.upper is not None]:
        lower = steps([Point(x(s.hours), y(s.lower or 0)) for s in known])
        upper = steps([Point(x(s.hours), y(s.upper or 0)) for s in known])
        drawn += area([*upper, *reversed(lower)], "band")
    naive = [Point(x(s.hours), y(s.naive)) for s in curve if s.naive is not None]
    waiting = [Point(x(s.hours), y(s.share)) for s in curve]
    for points, class_ in ((naive, "line second done"), (waiting, "line first all")):
        if points:
            drawn += line(steps([start, *points, Point(end, points[-1].y)]), class_)
    every = max(1, len(curve) // MOST_MARKS)
    shown = [*curve[::every], curve[-1]] if (len(curve) - 1) % every else curve[::every]
    for step, after in zip(shown, [*shown[1:], None], strict=True):
        left, right = x(step.hours), x(after.hours) if after else end
        drawn += hit(frame, left, max(right - left, 0.5), _describe_step(step))
    return drawn


def _histogram(frame: Frame, board: Dashboard) -> Markup:
    """How many processed orders took how long, on a logarithmic axis."""
    bins, summary = board.histogram, board.summary
    x = TimeScale(_start(bins[-1].place + 1), frame.left, frame.x_end)
    ticks = count_ticks(max(b.orders for b in bins))
    y = Scale(0, ticks[-1][0], frame.y_end, frame.top + 28)
    drawn = y_axis(frame, y, ticks) + time_axis(frame, x)
    for b in bins:
        left = x(_start(b.place)) if b.place >= 0 else frame.left + 2
        right = x(_start(b.place + 1)) if b.place >= 0 else frame.left + x.slot - 4
        drawn += element(
            "rect", element("title", f"{bin_range(b)}: {counted(b.orders, 'order')}"),
            class_="bar", x=left + 0.5, width=max(right - left - 1, 0.5),
            y=y(b.orders), height=frame.y_end - y(b.orders),
        )  # fmt: skip
    for value, name, height in ((summary.median, "median", 8), (summary.p90, "p90", 21)):
        if value is not None:
            at, top = x(value), frame.top + height
            drawn += element("line", x1=at, x2=at, y1=top - 9, y2=frame.y_end, class_="quantile")
            aside, anchor = (4, "start") if at < frame.x_end - 90 else (-4, "end")
            words = f"{name} {hours(value)}"
            drawn += text(Point(at + aside, top), words, "label strong halo", anchor)
    return drawn


def _flow(frame: Frame, board: Dashboard) -> Markup:
    """Orders arrived and processed so far, and below them those open, day by day."""
    flow = board.flow
    upper, lower = frame.split(0.3)
    first, last = flow[0].day.toordinal(), flow[-1].day.toordinal()
    x = Scale(first, max(last, first + 1), frame.left, frame.x_end)
    at = [x(f.day.toordinal()) for f in flow]

    def points(measure: str, y: Scale) -> list[Point]:
        return [Point(x, y(getattr(f, measure))) for x, f in zip(at, flow, strict=True)]

    ticks = count_ticks(max(f.arrived for f in flow), 4)
    y = Scale(0, ticks[-1][0], upper.y_end, upper.top)
    arrived, processed = points("arrived", y), points("processed", y)
    drawn = y_axis(upper, y, ticks) + area([*arrived, *reversed(processed)], "between")
    drawn += line(arrived, "line first all") + line(processed, "line third done")

    ticks = count_ticks(max(f.open for f in flow), 2)
    y = Scale(0, ticks[-1][0], lower.y_end, lower.top)
    left_open = points("open", y)
    drawn += y_axis(lower, y, ticks)
    drawn += area([Point(at[0], y(0)), *left_open, Point(at[-1], y(0))], "heap")
    drawn += line(left_open, "line second all")
    drawn += text(Point(frame.left, lower.top - 9), "open at the end of the day")
    drawn += day_axis(lower, x, [f.day for f in flow])
    width = (frame.x_end - frame.left) / len(flow)
    return drawn + Markup().join(
        hit(frame, x - width / 2, width, _describe_flow(f)) for x, f in zip(at, flow, strict=True)
    )


def _backlog(frame: Frame, board: Dashboard) -> Markup:
    """How many open orders have waited how long."""
    highest = max(age.orders for age in board.backlog) or 1
    rows = [
        (age.name, age.orders / highest, number(age.orders),
         f"{age.name}: {counted(age.orders, 'open order')}"
         + (f", the oldest {hours(age.oldest)}" if age.oldest is not None else ""))
        for age in board.backlog
    ]  # fmt: skip
    return bars(Frame(frame.width, frame.height, 104, 50, 0, 6), rows, "bar open")


def _targets(frame: Frame, board: Dashboard) -> Markup:
    """The share of orders processed within each target."""
    rows = [
        (f"{hours(t.hours)}{' (main)' if t.is_main else ''}", t.share or 0.0, percent(t.share),
         f"within {hours(t.hours)}: {percent(t.share)} of {counted(t.orders, 'order')}")
        for t in board.targets
    ]  # fmt: skip
    return bars(Frame(frame.width, frame.height, 84, 64, 0, 6), rows, "bar", track=True)


def _start(place: int) -> float:
    """The fewest hours in a bin of the histogram."""
    return float(MINUTE * 10.0 ** (place / BINS_PER_DECADE))


def bin_range(b: Bin) -> str:
    """A bin of the histogram in words."""
    if b.place < 0:
        return hours(MINUTE / 2)
    return f"{hours(_start(b.place))} to {hours(_start(b.place + 1))}"


def _describe_period(p: Period, period: str) -> str:
    when = f"{'Week of ' if period == 'week' else ''}{full_day(p.start)}"
    return (
        f"{when}: {counted(p.orders, 'order')}, {number(p.open)} open\n"
        f"median {hours(p.median_all, 'not yet')}, p90 {hours(p.p90_all, 'not yet')}\n"
        f"processed orders only: {hours(p.median)}, {hours(p.p90)}"
    )


def _describe_step(step: Step) -> str:
    band = (
        f" (95 %: {percent(step.lower)} to {percent(step.upper)})" if step.lower is not None else ""
    )
    naive = f"\nprocessed orders only: {percent(step.naive)}" if step.naive is not None else ""
    return f"after {hours(step.hours)}: {percent(step.share)} still waiting{band}{naive}"


def _describe_flow(f: Flow) -> str:
    return (
        f"{full_day(f.day)}: {number(f.arrived)} arrived so far,"
        f" {number(f.processed)} processed, {number(f.open)} open"
    )


CHARTS = {
    "over-time": _over_time,
    "survival": _survival,
    "histogram": _histogram,
    "flow": _flow,
    "backlog": _backlog,
    "targets": _targets,
}
