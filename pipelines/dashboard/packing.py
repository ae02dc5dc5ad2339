"""The orders as the page carries them: packed arrays, from which its script computes everything.

An order takes six bytes, and two once compressed: the day on which it was created, how many days
later it stopped being open, and a number for its status and for the cell of a grid that its
duration lies in. A cell is narrower than one percent, so that its middle is within half a percent.
Durations at which something is counted (targets, ages of the backlog, bars of the histogram) are
borders of cells, so that counts are exact.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from struct import pack as packed
from typing import NamedTuple

import pyarrow as pa

# bounds the size of the page; the newest are kept
MOST_ORDERS = 1_200_000
STATUSES = ("processed", "open", "failed", "deleted")
# in place of a day, and of a cell, that is not known
NO_DAY, NO_CELL = 0xFFFF, 0xFFF
STUCK, LATE = 1 << 14, 1 << 15
SHORTEST_HOURS, LONGEST_HOURS = 1 / 3600, 100_000.0
GRID_CELLS = 2_220
# bars of the histogram: eight in each power of ten, from a minute on
BARS_IN_TEN = 8
# ages of open orders at which a bar of the backlog begins
BACKLOG_HOURS = (1.0, 4.0, 24.0, 48.0, 168.0, 720.0)
# days count from the epoch, null is what is not known; one that is late took, or has waited, longer
# than was promised
ORDER_SCHEMA = pa.schema(
    {
        "campaign_id": pa.string(),
        "created_day": pa.int64(),
        "days_open": pa.int64(),
        "status": pa.string(),
        "hours": pa.float64(),
        "stuck": pa.bool_(),
        "late": pa.bool_(),
    }
)


class Packed(NamedTuple):
    """The arrays, and what is needed to read them.

    `content` has the days of creation of all orders, then the days they were open, then their
    codes. Days of creation count from `first_day`. `upper` are the borders of the cells. A
    campaign's orders lie from one of the `starts` to the next. Where there are too many orders,
    those created before the day `since` are left out, and those of an unknown day.
    """

    content: bytes
    orders: int
    upper: Sequence[float]
    starts: list[int]
    first_day: int
    since: int | None


def borders(target_hours: Iterable[float]) -> list[float]:
    """The upper borders of cells in hours, targets among them; a duration of just so long is in."""
    step = math.log(LONGEST_HOURS / SHORTEST_HOURS) / GRID_CELLS
    grid = (SHORTEST_HOURS * math.exp(step * n) for n in range(GRID_CELLS + 1))
    # what is counted from a duration on begins a cell, so the one before ends just below it
    below = (math.nextafter(hours, 0) for hours in (*BACKLOG_HOURS, *bar_hours()))
    return sorted({*grid, *below, *(hours for hours in target_hours if hours < LONGEST_HOURS)})


def bar_hours() -> list[float]:
    """Where the bars of the histogram begin, in hours; what is shorter has a bar before them."""
    last = math.floor(math.log10(LONGEST_HOURS * 60) * BARS_IN_TEN)
    return [10 ** (n / BARS_IN_TEN) / 60 for n in range(last + 1)]


def pack(parts: Iterable[pa.Table], campaigns: Mapping[str, int], upper: Sequence[float]) -> Packed:
    """Packs orders, which come sorted by campaign and then by day of creation.

    Args:
        parts: All of them, as ORDER_SCHEMA says.
        campaigns: To each campaign's id its number, in the same order, from 0.
        upper: The borders of the grid's cells.
    """
    place, created, days_open, codes = (array(kind) for kind in "IiHH")
    for part in parts:
        rows = zip(*(column.to_pylist() for column in part.columns), strict=True)
        for campaign, day, days, status, hours, stuck, late in rows:
            place.append(campaigns[campaign])
            created.append(-1 if day is None else day)
            days_open.append(NO_DAY if days is None else min(max(days, 0), NO_DAY - 1))
            cell = NO_CELL if hours is None else bisect_left(upper, hours, hi=len(upper) - 1)
            codes.append(cell | STATUSES.index(status) << 12 | STUCK * stuck | LATE * late)
    since = None
    kept: Sequence[int] = range(len(created))
    if len(created) > MOST_ORDERS:
        newest_first = sorted(created, reverse=True)
        # all of the newest day are carried, however many
        since = min(newest_first[MOST_ORDERS] + 1, newest_first[0])
        kept = [n for n in kept if created[n] >= since]
    first = min((created[n] for n in kept if created[n] >= 0), default=0)
    places = array("I", (place[n] for n in kept))
    since_first = (created[n] - first if created[n] >= 0 else NO_DAY for n in kept)
    columns = (since_first, (days_open[n] for n in kept), (codes[n] for n in kept))
    return Packed(
        content=b"".join(packed(f"<{len(kept)}H", *column) for column in columns),
        orders=len(kept),
        upper=upper,
        starts=[bisect_left(places, n) for n in range(len(campaigns) + 1)],
        first_day=first,
        since=since,
    )
