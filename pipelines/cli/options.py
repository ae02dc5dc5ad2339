"""Options that several commands have, and the types of what can be typed after an option."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from pipelines.reporting import values

# what a number in SQL can hold
MOST_DIGITS = 18
COPY = "a DuckDB file if PATH ends in .duckdb or .db, else a folder of Parquet files"


def add_where(parser: argparse.ArgumentParser) -> None:
    """Adds `--destination` and `--dataset`."""
    destination = "a destination that dlt knows (the one in the settings: duckdb unless changed)"
    parser.add_argument("--destination", type=filled, metavar="NAME", help=destination)
    dataset = "the schema of the tables (the one in the settings: signalwire unless changed)"
    parser.add_argument("--dataset", type=filled, metavar="NAME", help=dataset)


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Adds `--wait`."""
    words = "how long to wait for another run into the same place to end (0)"
    parser.add_argument("--wait", type=wait, default=0.0, metavar="SECONDS", help=words)


def filled(text: str) -> str:
    """A text that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty")
    return text


def file(text: str) -> Path:
    """The path of a file."""
    return Path(filled(text))


def names(text: str) -> list[str]:
    """Names separated by commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def duration(text: str) -> float:
    """A duration such as 90m, 2h or 1d, in seconds."""
    return _of(values.duration, text)


def share(text: str) -> float:
    """A share from 0 to 1."""
    return _of(values.share, text)


def _of(parsed: Callable[[str], float], text: str) -> float:
    try:
        return parsed(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} {error}") from None


def wait(text: str) -> float:
    """Seconds to wait, 0 or more."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds, 0 or more")
    return found


def whole_or_text(text: str) -> int | str:
    """A number, whose range is checked with the settings; else the text, which is refused there."""
    try:
        return int(text)
    except ValueError:
        return text


def count(text: str) -> int:
    """A whole number, 0 or more."""
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, 0 or more")
    if len(text) > MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"it has more than {MOST_DIGITS} digits")
    return int(text)


def moment(text: str) -> datetime:
    """A date or time, in UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date such as 2026-03-01") from None
    return found if found.tzinfo else found.replace(tzinfo=timezone.utc)
