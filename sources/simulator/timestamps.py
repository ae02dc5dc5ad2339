"""Conversion between moments and the API's timestamps.

Inside the simulator a moment is a float: seconds since 1970-01-01 00:00 UTC.
"""

from __future__ import annotations

from datetime import datetime, timezone

DAY = 86_400.0


def stamp(moment: float, *, whole: bool = False) -> str:
    """`2024-07-29T15:51:28.071Z`; with `whole`, for a moment without milliseconds, no `.000`."""
    text = datetime.fromtimestamp(moment, timezone.utc).isoformat(
        timespec="seconds" if whole else "milliseconds"
    )
    return text.removesuffix("+00:00") + "Z"


def moment_of(text: object) -> float | None:
    """The moment of an ISO 8601 timestamp; None unless it is one with a zone."""
    if not isinstance(text, str):
        return None
    try:
        # Before Python 3.11 fromisoformat does not accept "Z".
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return None if parsed.tzinfo is None else parsed.timestamp()
