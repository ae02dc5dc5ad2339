"""The limits that checks hold the data to: the settings `[checks]`, and the options of `check`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import dlt

from pipelines.reporting.rows import Narrowing
from pipelines.reporting.values import UNITS, duration, listed, share
from sources.signalwire.errors import ConfigurationError

SEVERITIES = ("error", "warning", "information")
DEFAULT_OVER = 30 * UNITS["d"]


@dataclass(frozen=True)
class Limits:
    """What is still well, of all orders or of a brand or campaign. None where nothing is judged.

    `max_age`, `max_p90` and `over` are seconds, `min_within_target` is a share from 0 to 1.
    `max_data_quality` is the least severity that fails. Shares, p90 and failures are of orders
    created in the last `over`.
    """

    max_age: float | None = None
    max_stuck: int | None = None
    min_within_target: float | None = None
    max_p90: float | None = None
    max_failed: int | None = None
    max_data_quality: str | None = None
    over: float = DEFAULT_OVER
    campaign: str | None = None
    brand: str | None = None

    @property
    def narrowing(self) -> Narrowing:
        """Which orders they are about."""
        return Narrowing(campaign=self.campaign, brand=self.brand)

    @property
    def judged(self) -> bool:
        """Whether there is any limit."""
        return self.max_age is not None or self.judged_by_reports

    @property
    def judged_by_reports(self) -> bool:
        """Whether there is one that takes reports to judge: any but that of age."""
        names = {f.name for f in fields(self) if f.name.startswith(("max_", "min_"))} - {"max_age"}
        return any(getattr(self, name) is not None for name in names)


def configured_limits() -> list[Limits]:
    """The limits of the settings: those of `[checks]` first, then each of `[[checks.of]]`.

    Raises:
        ConfigurationError: one of them cannot be meant so.
    """
    found: dict[str, Any] = {}
    for name in READ:
        value: Any = dlt.config.get(f"checks.{name}")
        if value not in (None, ""):
            found[name] = value
    more = listed(dlt.config.get("checks.of") or [])
    if not isinstance(more, list) or not all(isinstance(entry, Mapping) for entry in more):
        raise ConfigurationError(
            "checks.of has to be a list of tables, each written as [[checks.of]] with a brand or"
            " campaign and limits"
        )
    whole = _limits("checks", found)
    return [whole, *(_of(number, entry, whole) for number, entry in enumerate(more, 1))]


def with_options(configured: list[Limits], **options: Any) -> list[Limits]:
    """The limits, the first of them changed by the options that are given.

    Raises:
        ConfigurationError: there is no such severity.
    """
    given = {name: value for name, value in options.items() if value is not None}
    if severity := given.get("max_data_quality"):
        try:
            _severity(severity)
        except ValueError as error:
            raise ConfigurationError(f"--max-data-quality ({severity}) {error}") from None
    return [replace(configured[0], **given), *configured[1:]]


def _whole(value: Any) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("has to be a whole number, 0 or more")
    return value


def _severity(value: Any) -> str:
    if value not in SEVERITIES:
        raise ValueError(f"has to be one of {', '.join(SEVERITIES)}")
    return str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("has to be an id or a name")
    return value.strip()


# how each is read
READ = {
    "max_age": duration,
    "max_stuck": _whole,
    "min_within_target": share,
    "max_p90": duration,
    "max_failed": _whole,
    "max_data_quality": _severity,
    "over": duration,
}


def _of(number: int, entry: Mapping[str, Any], whole: Limits) -> Limits:
    what = f"checks.of, number {number}"
    limits = _limits(what, entry, brand=_text, campaign=_text)
    if (limits.brand is None) == (limits.campaign is None):
        raise ConfigurationError(f"{what}: it needs either a brand or a campaign")
    if limits.max_age is not None:
        raise ConfigurationError(f"{what}: max_age is of all that is loaded; move it to [checks]")
    return replace(limits, over=whole.over) if entry.get("over") is None else limits


def _limits(what: str, entry: Mapping[str, Any], **more: Any) -> Limits:
    known = READ | more
    found = {}
    for name, value in entry.items():
        if name not in known:
            raise ConfigurationError(f"{what}: {name} is not known; known are {', '.join(known)}")
        if value is None:
            continue
        try:
            found[name] = known[name](value)
        except ValueError as error:
            raise ConfigurationError(f"{what}: {name} ({value}) {error}") from None
    return Limits(**found)
