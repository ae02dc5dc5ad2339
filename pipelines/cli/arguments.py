"""What can be typed after an option: read, or refused in a sentence that argparse prints."""

from __future__ import annotations

import argparse
import math
import re
from datetime import datetime, timezone

# what can be waited for, and what a number in SQL can hold
MOST_SECONDS = 31 * 86_400
MOST_DIGITS = 18


def seconds(text: str) -> float:
    """A duration such as 90m, 2h or 1d, in seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 90m, 2h or 1d")
    found = float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError("that is too long")
    return found


def filled(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def wait(text: str) -> float:
    """Seconds that a program can wait."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no number of seconds from 0 to {MOST_SECONDS}"
        )
    return found


def whole_or_text(text: str) -> int | str:
    """A number, whose range the setting of that name knows; else the text, which that refuses."""
    try:
        return int(text)
    except ValueError:
        return text


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number, 0 or more")
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"it has more than {MOST_DIGITS} digits")
    return int(text)


def moment(text: str) -> datetime:
    """A date or time, in UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date such as 2026-03-01") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
