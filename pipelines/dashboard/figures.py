"""The pictures with what each of them says in a sentence, and the numbers behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pipelines.dashboard import bars, charts
from pipelines.dashboard.board import Dashboard, Step
from pipelines.dashboard.flow import cumulative_flow
from pipelines.dashboard.svg import NARROW, WIDE, Frame, drawing
from pipelines.dashboard.tables import plain_table
from pipelines.dashboard.words import counted, escaped, full_day, hours, number, percent

NOT_YET = "not yet known"
# hours at which the curve is told in numbers
TOLD_AT = (1.0, 4.0, 12.0, 24.0, 48.0, 168.0, 720.0)


class Key(NamedTuple):
    """A line or an area of a picture, and what it is called."""

    class_: str
    name: str


def figures(board: Dashboard) -> str:
    """All pictures, in the order in which one asks."""
    drawn = (_over_time, _survival, _histogram, _flow, _backlog, _targets)
    return "".join(draw(board) for draw in drawn)


def _over_time(board: Dashboard) -> str:
    title = f"Median and 90th percentile by {board.period} of creation"
    if not any(p.median is not None for p in board.periods):
        return _nothing("over-time", title, "No order with a known time has been processed yet.")
    known = [p for p in board.periods if p.median_all is not None]
    message = "In no period is half of the orders through yet."
    if known:
        least = min(known, key=lambda p: p.median_all or 0)
        most = max(known, key=lambda p: p.median_all or 0)
        message = (
            f"The median of all orders was {hours(known[-1].median_all)} in the newest"
            f" {board.period} in which half are through. It lay between"
            f" {hours(least.median_all)} ({full_day(least.start)}) and"
            f" {hours(most.median_all)} ({full_day(most.start)})."
        )
    rows = [
        (full_day(p.start), number(p.orders), number(p.open), hours(p.median_all, NOT_YET),
         hours(p.p90_all, NOT_YET), hours(p.median), hours(p.p90))
        for p in reversed(board.periods)
    ]  # fmt: skip
    headings = (board.period.title(), "Orders", "Open", "Median, all", "p90, all",
                "Median, processed", "p90, processed")  # fmt: skip
    keys = (
        Key("all", "all orders, those still waiting included"),
        Key("done", "processed ones alone"),
    )
    return _figure(
        "over-time", title, message, keys,
        lambda frame: charts.over_time(frame, board.periods, board.period),
        plain_table(title, headings, rows),
    )  # fmt: skip


def _survival(board: Dashboard) -> str:
    title = "Orders still waiting after some time"
    if not board.survival:
        return _nothing("survival", title, "No time is known of any order yet.")
    s = board.summary
    message = (
        f"Of all orders, half are processed within {hours(s.median_all, NOT_YET)} and nine of ten"
        f" within {hours(s.p90_all, NOT_YET)}. By the processed ones alone it would seem to be"
        f" {hours(s.median)} and {hours(s.p90)}."
    )
    rows = [
        (hours(at), percent(step.share), f"{percent(step.lower)} to {percent(step.upper)}",
         percent(step.naive), number(step.at_risk))
        for at in TOLD_AT
        if at < board.survival[-1].hours and (step := _step_at(board.survival, at))
    ]  # fmt: skip
    headings = ("After", "Still waiting", "95 % band", "By the processed ones", "Known to wait")
    keys = (
        Key("first all", "all orders (Kaplan-Meier)"), Key("band", "its 95 % band"),
        Key("second done", "processed orders alone"),
    )  # fmt: skip
    return _figure(
        "survival", title, message, keys,
        lambda frame: charts.survival(frame, board.survival), plain_table(title, headings, rows),
    )  # fmt: skip


def _histogram(board: Dashboard) -> str:
    title = "How long processed orders took"
    if not board.histogram:
        return _nothing("histogram", title, "No order with a known time has been processed yet.")
    s = board.summary
    most = max(board.histogram, key=lambda b: b.orders)
    message = (
        f"Most often {charts.bin_told(most)}. Half of the"
        f" {counted(sum(b.orders for b in board.histogram), 'processed order')} took"
        f" {hours(s.median)} or less, a quarter more than {hours(s.p75)}, one in ten more than"
        f" {hours(s.p90)}."
    )
    rows = [(charts.bin_told(b), number(b.orders)) for b in board.histogram]
    return _figure(
        "histogram", title, message, (Key("bar", "orders, on a logarithmic scale of time"),),
        lambda frame: charts.histogram(frame, board.histogram, s),
        plain_table(title, ("Processing time", "Orders"), rows),
    )  # fmt: skip


def _flow(board: Dashboard) -> str:
    title = "Arrived, processed and left open"
    if not board.flow:
        return _nothing("flow", title, "No order with a time of creation yet.")
    first, last = board.flow[0], board.flow[-1]
    gone = last.arrived - last.processed - last.open
    message = (
        f"Since {full_day(first.day)}, {counted(last.arrived, 'order')} arrived:"
        f" {number(last.processed)} were processed, {number(last.open)} are open"
        + (f", and {number(gone)} failed or vanished." if gone else ".")
    )
    rows = [
        (full_day(f.day), number(f.arrived), number(f.processed), number(f.open))
        for f in board.flow[:-15:-1]
    ]
    headings = ("Until the end of", "Arrived", "Processed", "Open")
    keys = (
        Key("first all", "arrived so far"), Key("third done", "processed so far"),
        Key("second all", "open"),
    )  # fmt: skip
    return _figure(
        "flow", title, message, keys, lambda frame: cumulative_flow(frame, board.flow),
        plain_table("The newest days of the picture", headings, rows),
    )  # fmt: skip


def _backlog(board: Dashboard) -> str:
    title = "Open orders by age"
    late = sum(a.orders for a in board.backlog if (a.from_hours or 0) >= board.main_target.hours)
    message = (
        f"{counted(board.summary.open, 'order is', 'orders are')} open;"
        f" {counted(late, 'has', 'have')} waited for {hours(board.main_target.hours)} or longer."
    )
    rows = [(a.name, number(a.orders), hours(a.oldest)) for a in board.backlog]
    return _figure(
        "backlog", title, message, (Key("bar open", "open orders"),),
        lambda frame: bars.ages(_beside(frame, 104, 50), board.backlog),
        plain_table(title, ("Age", "Orders", "Oldest"), rows),
    )  # fmt: skip


def _targets(board: Dashboard) -> str:
    title = "Processed within each target"
    main = board.main_target
    message = (
        f"{percent(main.share)} of the orders old enough to tell were processed within"
        f" {hours(main.hours)}; {number(main.missed)} were not. A failed order counts as missed."
    )
    rows = [
        (hours(t.hours), percent(t.share), number(t.orders), number(t.missed))
        for t in board.targets
    ]
    return _figure(
        "targets", title, message, (Key("bar", "processed within the target"),),
        lambda frame: bars.attainment(_beside(frame, 84, 64), board.targets),
        plain_table(title, ("Target", "Within", "Orders old enough", "Missed"), rows),
    )  # fmt: skip


def _step_at(curve: Sequence[Step], at: float) -> Step | None:
    """The step that holds after some hours."""
    return next((step for step in reversed(curve) if step.hours <= at), None)


def _beside(frame: Frame, left: float, right: float) -> Frame:
    """A frame with room for names and values beside bars, and none for an axis."""
    return Frame(frame.width, frame.height, left, right, 0, 6)


def _figure(
    name: str, title: str, message: str, keys: Sequence[Key], draw: Callable[[Frame], str],
    numbers: str,
) -> str:  # fmt: skip
    pictures = "".join(
        drawing(frame, draw(frame), f"{title}. {message}")
        for frame in (Frame(*WIDE), Frame(*NARROW))
    )
    legend = "".join(f'<li><i class="{key.class_}"></i>{escaped(key.name)}</li>' for key in keys)
    return (
        f'<figure id="{name}"><h2>{escaped(title)}</h2><figcaption>{escaped(message)}</figcaption>'
        f'<ul class="legend" aria-hidden="true">{legend}</ul>{pictures}{numbers}</figure>'
    )


def _nothing(name: str, title: str, why: str) -> str:
    return (
        f'<figure id="{name}"><h2>{escaped(title)}</h2>'
        f'<p class="nothing">{escaped(why)}</p></figure>'
    )
