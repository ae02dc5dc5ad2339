"""Durations, shares and lists as people write them, in settings and after options.

It imports nothing slow.
"""

from __future__ import annotations

import json
import math
import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
DURATION = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
LONGEST_YEARS = 100


def duration(value: object) -> float:
    """A duration such as 90m, 2h or 1d, in seconds.

    Raises:
        ValueError: it is none, or longer than a hundred years.
    """
    match = DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if not match:
        raise ValueError("has to be a duration such as 90m, 2h or 1d")
    seconds = float(match[1]) * UNITS[match[2]]
    if seconds > LONGEST_YEARS * 365 * UNITS["d"]:
        raise ValueError(f"has to be {LONGEST_YEARS} years at most")
    return seconds


def listed(value: object) -> object:
    """A list in a setting, which the environment has as text in JSON; other values as they are."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def share(value: object) -> float:
    """A share from 0 to 1.

    Raises:
        ValueError: it is none.
    """
    try:
        found = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        found = math.nan
    if not 0 <= found <= 1:
        raise ValueError("has to be a share from 0 to 1, such as 0.9")
    return found
