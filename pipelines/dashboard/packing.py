"""The orders as the page carries them: packed arrays, from which its script computes everything.

An order takes six bytes, and less than two once compressed: the day on which it was created, how
many days later it stopped being open, and a number for its status and for the cell of a grid that
its duration lies in. A cell is narrower than one percent, so that its middle is within half a
percent. Durations at which something is counted (targets, ages of the backlog, bars of the
histogram) are borders of cells, so that counts are exact.
"""

from __future__ import annotations

import base64
import gzip
import math
import sys
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

# the page stays below 3.5 MB with so many; the newest are kept
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


class Order(NamedTuple):
    """What is packed of an order: days are counted from the epoch, None where not known.

    One that is `late` took or has waited longer than was promised.
    """

    campaign_id: str
    created_day: int | None
    left_day: int | None
    status: str
    hours: float | None
    stuck: bool
    late: bool


class Packed(NamedTuple):
    """The arrays in one text, and what is needed to read them.

    `first_day` is the day that the days of creation count from. Where there are too many orders,
    those created before the day `since` are left out, and those of an unknown day.
    """

    text: str
    orders: int
    cells: int
    first_day: int
    since: int | None


def borders(target_hours: Iterable[float]) -> list[float]:
    """The upper borders of the grid's cells, in hours: a duration of just so long is in the cell.

    Args:
        target_hours: Within which orders should be processed.
    """
    step = math.log(LONGEST_HOURS / SHORTEST_HOURS) / GRID_CELLS
    grid = (SHORTEST_HOURS * math.exp(step * n) for n in range(GRID_CELLS + 1))
    # what is counted from a duration on begins a cell, so the one before ends just below it
    below = (math.nextafter(hours, 0) for hours in (*BACKLOG_HOURS, *bar_hours()))
    return sorted({*grid, *below, *(hours for hours in target_hours if hours < LONGEST_HOURS)})


def bar_hours() -> list[float]:
    """Where the bars of the histogram begin, in hours; what is shorter has a bar before them."""
    last = math.floor(math.log10(LONGEST_HOURS * 60) * BARS_IN_TEN)
    return [10 ** (n / BARS_IN_TEN) / 60 for n in range(last + 1)]


def pack(orders: Iterable[Order], campaigns: Mapping[str, int], upper: Sequence[float]) -> Packed:
    """Packs orders, which come sorted by campaign and then by day of creation.

    Args:
        orders: All of them.
        campaigns: To each campaign's id its number, in the same order, from 0.
        upper: The borders of the grid's cells.
    """
    place, created, open_for, codes = (array(kind) for kind in "IiHH")
    for order in orders:
        place.append(campaigns[order.campaign_id])
        created.append(-1 if order.created_day is None else order.created_day)
        cell = NO_CELL
        if order.hours is not None:
            cell = min(bisect_left(upper, order.hours), len(upper) - 1)
        open_for.append(_days_open(order, cell, upper))
        codes.append(
            cell | STATUSES.index(order.status) << 12 | STUCK * order.stuck | LATE * order.late
        )
    since = _since(created)
    kept: Sequence[int] = range(len(created))
    if since is not None:
        kept = [n for n in kept if created[n] >= since]
    first = min((created[n] for n in kept if created[n] >= 0), default=0)
    counts = Counter(place[n] for n in kept)
    in_each = (counts[number] for number in range(len(campaigns)))
    days = array("H", (created[n] - first if created[n] >= 0 else NO_DAY for n in kept))
    content = b"".join(
        (
            _little_endian(array("d", upper)),
            _little_endian(array("I", accumulate(in_each, initial=0))),
            # differences are small numbers, which compress better
            _planes((day - before) & 0xFFFF for before, day in pairwise([0, *days])),
            _planes(open_for[n] for n in kept),
            _planes(codes[n] for n in kept),
        )
    )
    return Packed(compressed(content), len(kept), len(upper), first, since)


def compressed(content: bytes) -> str:
    """Content as the page holds it: gzip, its length, and base 85 without what could be markup."""
    packed = gzip.compress(content, 6, mtime=0)
    return f"{len(packed)}:" + base64.b85encode(packed, pad=True).decode().replace("<", ",")


def _since(created: Sequence[int]) -> int | None:
    """The first day whose orders are carried, at the latest the newest one; None for all."""
    if len(created) <= MOST_ORDERS:
        return None
    newest_first = sorted(created, reverse=True)
    return min(newest_first[MOST_ORDERS] + 1, newest_first[0])


def _days_open(order: Order, cell: int, upper: Sequence[float]) -> int:
    """Days until an order stopped being open: of processed ones those beyond what the cell says.

    That is none or one, or fewer where it was processed after the reports' current time, which the
    page corrects.
    """
    if order.created_day is None or order.left_day is None:
        return NO_DAY
    is_timed = order.status == "processed" and cell not in (0, NO_CELL)
    said = int(upper[cell - 1] // 24) if is_timed else 0
    return max(min(max(order.left_day - order.created_day, 0), NO_DAY - 1) - said, 0)


def _planes(values: Iterable[int]) -> bytes:
    """The lower bytes of all values, then the higher ones, which compress apart from each other."""
    content = _little_endian(array("H", values))
    return content[::2] + content[1::2]


def _little_endian(values: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
