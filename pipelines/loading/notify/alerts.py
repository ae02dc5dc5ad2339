"""What is news: alerts compared with what people were told before, and the text of a message.

Nothing here reads, writes or sends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sources.printable import printable

PROGRAM = "signalwire-orders"
SHOWN_EXAMPLES = 5
# chat services refuse long messages: one alert stays below the 2,000 characters of the strictest
MOST_WORDS, MOST_EXAMPLE = 600, 160
# the user and password in a URL, which can have a slash in it that should have been %2F
USERINFO = re.compile(r"://\S*@")


class Alert(NamedTuple):
    """One thing that can be bad, and whether it is: what happened, to what, what to do.

    `key` tells it from others. A key `a/b` is a part of `a`: when all of `a` is well, so is `a/b`.
    `words` are sentences, `examples` some of what they speak of, `command` shows more.
    """

    key: str
    bad: bool
    title: str
    words: str
    examples: tuple[str, ...] = ()
    command: str = ""


class Known(NamedTuple):
    """Something that is bad: since when, its title, and whether a message of it arrived."""

    since: datetime
    title: str
    told: bool


class News(NamedTuple):
    """What a message has to tell: an alert that began, or (`ended`) one that is over."""

    alert: Alert
    since: datetime
    ended: datetime | None = None


class Changes(NamedTuple):
    """The news, and what is known afterwards: if the message of them arrives, and if not."""

    news: list[News]
    if_told: dict[str, Known]
    if_not: dict[str, Known]


class Message(NamedTuple):
    """A message as it is sent; `bad` says that something in it is."""

    title: str
    body: str
    bad: bool


def changes(before: Mapping[str, Known], now: Iterable[Alert], moment: datetime) -> Changes:
    """Compares alerts with what was known; of keys that are not among them nothing is said.

    Args:
        before: What is known to be bad, by key.
        now: What was looked at, with the result.
        moment: When that was.
    """
    news: list[News] = []
    if_told, if_not = dict(before), dict(before)
    for alert in _one_each(now):
        if alert.bad:
            known = before.get(alert.key) or Known(moment, alert.title, told=False)
            if not known.told:
                news.append(News(alert, known.since))
            if_not[alert.key] = known
            if_told[alert.key] = known._replace(told=True)
            continue
        for key in [k for k in before if k == alert.key or k.startswith(f"{alert.key}/")]:
            known = if_told.pop(key)
            if known.told:
                news.append(News(alert._replace(title=known.title), known.since, moment))
            else:  # no message said that it was bad
                del if_not[key]
    return Changes(news, if_told, if_not)


def message_of(news: Sequence[News], place: str) -> Message:
    """One message for all the news of a moment: a phone rings once.

    Args:
        news: What to tell, at least one.
        place: Where the data is, in words.
    """
    begun = sum(not n.ended for n in news)
    if len(news) == 1:
        title = _headline(news[0])
    else:
        counts = {"bad": begun, "resolved": len(news) - begun}
        title = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    parts = [_section(n, headed=len(news) > 1) for n in sorted(news, key=lambda n: bool(n.ended))]
    body = "\n\n".join([*parts, f"where: {place}"])
    return Message(f"{PROGRAM}: {printable(title)}", printable(body, lines=True), bad=begun > 0)


def trial_message(place: str) -> Message:
    """The message that tries whether messages arrive."""
    words = "This is a test: messages of trouble with the orders arrive here."
    body = printable(f"{words}\n\nwhere: {place}", lines=True)
    return Message(f"{PROGRAM}: test", body, bad=False)


def _one_each(alerts: Iterable[Alert]) -> list[Alert]:
    """One alert for each key; a bad one stands for those that are well."""
    found: dict[str, Alert] = {}
    for alert in alerts:
        if alert.key not in found or (alert.bad and not found[alert.key].bad):
            found[alert.key] = alert
    return list(found.values())


def _headline(news: News) -> str:
    return f"resolved: {news.alert.title}" if news.ended else news.alert.title


def _section(news: News, *, headed: bool) -> str:
    alert = news.alert
    lines = [_headline(news)] if headed else []
    if words := _short(alert.words, MOST_WORDS):
        lines.append(words)
    if news.ended:
        lasted = _lasted(news.ended - news.since)
        lines.append(f"well again; it had lasted {lasted}, since {time_of(news.since)}")
        return "\n".join(lines)
    lines.append(f"since {time_of(news.since)}")
    lines += [f"  {_short(example, MOST_EXAMPLE)}" for example in alert.examples[:SHOWN_EXAMPLES]]
    if (left := len(alert.examples) - SHOWN_EXAMPLES) > 0:
        lines.append(f"  and {left:,} more")
    if alert.command:
        lines.append(f"more: {alert.command}")
    return "\n".join(lines)


def time_of(moment: datetime) -> str:
    """A moment in UTC, to the minute."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _lasted(span: timedelta) -> str:
    minutes = span.total_seconds() / 60
    if minutes < 90:
        return f"{minutes:.0f} min"
    return f"{minutes / 60:.1f} h" if minutes < 48 * 60 else f"{minutes / 1440:.1f} days"


def _short(text: str, most: int) -> str:
    """The text without credentials that an error repeats, and not too long."""
    text = USERINFO.sub("://***@", text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
