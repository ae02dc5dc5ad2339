"""What customers were promised: hours within which their orders are processed, from a day on.

A promise is for a campaign, a brand, a use case, a brand's campaigns of a use case, or all orders.
Of those in force when an order was created, the most specific one counts, and of equals the newest.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pipelines.reporting.values import listed
from sources.signalwire.errors import ConfigurationError

SETTING = "reports.sla"
# what a promise may be for, the least specific first, with its weight beside the others
SCOPES = {"use_case": 1, "brand": 2, "campaign": 4}
MOST_HOURS = 1_000_000  # 114 years
ALWAYS = date(1970, 1, 1)


@dataclass(frozen=True)
class Promise:
    """Hours within which some orders are processed; of all orders where no scope is set.

    `since` is the first day of creation (UTC) that it holds for.
    """

    hours: float
    campaign: str = ""
    brand: str = ""
    use_case: str = ""
    since: date = ALWAYS
    name: str = ""

    @property
    def priority(self) -> int:
        """How specific it is."""
        return sum(weight for scope, weight in SCOPES.items() if getattr(self, scope))

    @property
    def label(self) -> str:
        """What reports call it."""
        found = [
            f"{scope.replace('_', ' ')} {value}"
            for scope in reversed(SCOPES)
            if (value := getattr(self, scope))
        ]
        return self.name or ", ".join(found) or "all orders"


def parse_promises(found: Any) -> list[Promise]:
    """The promises of the setting `reports.sla`: a list of tables, as text where it comes as JSON.

    Raises:
        ConfigurationError: one of them cannot be meant so.
    """
    entries = listed(found)
    if not isinstance(entries, list) or not all(isinstance(e, Mapping) for e in entries):
        raise ConfigurationError(
            f"{SETTING} has to be a list of tables, each written as [[{SETTING}]] with hours = 4"
        )
    promises = [_promise(number, entry) for number, entry in enumerate(entries, 1)]
    same = Counter((p.campaign, p.brand, p.use_case.casefold(), p.since) for p in promises)
    for promise in promises:
        if same[promise.campaign, promise.brand, promise.use_case.casefold(), promise.since] > 1:
            raise ConfigurationError(
                f"{SETTING} promises two things for {promise.label} from the same day on: keep one,"
                " or give the later one a day: since = 2026-01-01"
            )
    return promises


def rows_of(promises: Sequence[Promise]) -> list[tuple[str, float, str, str, str, str, int]]:
    """A row for each, as the report `promises` has them."""
    return [
        (p.label, p.hours, p.campaign, p.brand, p.use_case, p.since.isoformat(), p.priority)
        for p in promises
    ]


def with_default(promises: Sequence[Promise], hours: float) -> list[Promise]:
    """The promises, and one of these hours for all orders that none of them is for."""
    of_all = [p for p in promises if p.priority == 0 and p.since == ALWAYS] or [Promise(hours)]
    return [*of_all, *(p for p in promises if p not in of_all)]


def _promise(number: int, entry: Mapping[str, Any]) -> Promise:
    what = f"{SETTING}, number {number}"
    names = ("hours", "since", "name", *SCOPES)
    if unknown := sorted(map(str, entry.keys() - {*names})):
        known = ", ".join(names)
        raise ConfigurationError(f"{what}: {unknown[0]} is not known; known are {known}")
    hours, since = entry.get("hours"), entry.get("since", ALWAYS)
    if isinstance(hours, bool) or not isinstance(hours, int | float):
        raise ConfigurationError(f"{what}: hours ({hours}) has to be a number, such as hours = 4")
    if not (math.isfinite(hours) and 0 < hours <= MOST_HOURS):
        raise ConfigurationError(
            f"{what}: hours ({hours}) has to be more than 0 and at most {MOST_HOURS}"
        )
    texts = {name: entry.get(name, "") for name in ("name", *SCOPES)}
    for name, text in texts.items():
        if not isinstance(text, str) or (name in entry and not text.strip()):
            raise ConfigurationError(f"{what}: {name} ({text}) has to be a text that says which")
    if texts["campaign"] and (texts["brand"] or texts["use_case"]):
        raise ConfigurationError(
            f"{what}: a campaign has one brand and one use case; leave brand and use_case out"
        )
    # the API writes its ids in lower case
    ids = {scope: texts[scope].strip().lower() for scope in ("campaign", "brand")}
    return Promise(
        hours=float(hours),
        **ids,
        use_case=texts["use_case"].strip(),
        since=_day(what, since),
        name=texts["name"].strip(),
    )


def _day(what: str, since: Any) -> date:
    try:
        # from the environment it comes as text
        found = date.fromisoformat(since) if isinstance(since, str) else since
    except ValueError:
        found = None
    if not isinstance(found, date) or isinstance(found, datetime):
        raise ConfigurationError(
            f"{what}: since ({since}) has to be a day, such as since = 2026-01-01; it begins at"
            " midnight UTC"
        )
    return found
