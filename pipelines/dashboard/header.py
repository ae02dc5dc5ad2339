"""The top of the page: how fresh and how whole the data is, and the numbers asked for first."""

from __future__ import annotations

from pipelines.dashboard.board import Check, Dashboard, Pace, Summary
from pipelines.dashboard.words import counted, cut, escaped, hours, moment, number, percent

SIGNS = {"error": "▲", "warning": "▲", "information": "●"}


def banner(board: Dashboard, title: str) -> str:
    """Title, freshness, and the health of the newest run."""
    fresh, campaigns = board.freshness, board.campaigns[0].total if board.campaigns else 0
    contents = f"{counted(board.summary.orders, 'order')} in {counted(campaigns, 'campaign')}"
    return (
        f"<header><h1>{escaped(title)}</h1>"
        f'<p id="as-of">As of <strong>{escaped(moment(fresh.as_of))}</strong>'
        f" · {escaped(contents)} · dataset {escaped(board.dataset)}</p>"
        f"{_health(board)}</header>"
    )


def _health(board: Dashboard) -> str:
    fresh = board.freshness
    if fresh.last_run_at is None:
        state, words = "bad", "▲ No run has been completed yet"
    elif fresh.last_run_complete:
        state, words = "good", "✓ The last run read everything it was asked for"
    else:
        when = moment(fresh.last_run_at)
        state, words = "bad", f"▲ The last run ({when}) could not read everything"
    checks = "✓ All checks of the data pass" if not board.checks else ""
    return (
        f'<ul class="health"><li class="{state}">{escaped(words)}</li>'
        + (f'<li class="good">{checks}</li>' if checks else "")
        + "".join(
            f'<li class="{escaped(check.severity)}">{SIGNS.get(check.severity, "●")}'
            f" {escaped(_told(check))}</li>"
            for check in board.checks
        )
        + f"</ul>{_failures(board)}"
    )


def _told(check: Check) -> str:
    return f"{check.severity}: {number(check.rows)} {check.name}: {check.meaning}"


def _failures(board: Dashboard) -> str:
    if not board.failures:
        return ""
    total = board.failures[0].total
    rows = "".join(
        f"<li><strong>{escaped(cut(failure.name))}</strong>: {escaped(cut(failure.reason, 300))}"
        f" <code>{escaped(cut(failure.path, 200))}</code></li>"
        for failure in board.failures
    )
    more = total - len(board.failures)
    rest = f"<li>and {number(more)} more in the table campaign_failures</li>" if more else ""
    words = counted(total, "list", "lists") + " the last run could not read"
    return f'<details class="failures"><summary>{words}</summary><ul>{rows}{rest}</ul></details>'


def tiles(board: Dashboard) -> str:
    """The five numbers asked for first."""
    s, main = board.summary, board.main_target
    stuck = board.stuck[0].total if board.stuck else 0
    oldest = board.stuck[0].age if board.stuck else None
    waiting = f"{number(stuck)} stuck" + (f", the oldest {hours(oldest)}" if oldest else "")
    others = ", ".join(
        f"{percent(t.share)} in {hours(t.hours)}" for t in board.targets if t != main
    )
    return (
        '<section class="tiles" aria-label="Key figures">'
        + _tile("open", "Open now", number(s.open), waiting)
        + _tile("processed", "Processed in 7 days", number(board.pace.this_week), _pace(board.pace))
        + _tile(
            "median",
            "Median, processed orders",
            hours(s.median),
            _beside(s, s.median_all),
        )
        + _tile("p90", "p90, processed orders", hours(s.p90), _beside(s, s.p90_all))
        + _tile("target", f"Within {hours(main.hours)}", percent(main.share), others)
        + "</section>"
    )


def _tile(name: str, label: str, value: str, beside: str) -> str:
    return (
        f'<div class="tile" id="tile-{name}"><h2>{escaped(label)}</h2>'
        f'<p class="value">{escaped(value)}</p><p>{escaped(beside)}</p></div>'
    )


def _beside(summary: Summary, all_orders: float | None) -> str:
    others = summary.share_censored
    if not others:
        return "and of all orders: none is left"
    return f"{hours(all_orders, 'not yet known')} of all, {percent(others)} not processed"


def _pace(pace: Pace) -> str:
    if not pace.week_before:
        return f"{number(pace.week_before)} in the 7 days before"
    change = (pace.this_week - pace.week_before) / pace.week_before
    direction = "more" if change > 0 else "fewer"
    if pace.this_week == pace.week_before:
        return "as many as in the 7 days before"
    return f"{percent(abs(change))} {direction} than in the 7 days before"
