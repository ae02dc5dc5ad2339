"""How far a campaign's orders are read. Pure functions of plain values.

A list of orders comes newest-created first, and cannot be filtered by time. An order is *settled*
once it is processed, or has failed and was not touched for a long time; settled orders are not
expected to change. One that is still open is never settled, however old it is. So a walk may stop
where all that is older was settled at the last walk, as long as it brings the unsettled orders
further down up to date in another way. Every so often a campaign is read to its end, which catches
settled orders that changed after all, and orders that vanished.

All moments are in microseconds since the epoch, UTC.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.existing import KnownCampaign, Unsettled
from sources.signalwire.records.values import is_ahead

FINAL_STATE = "processed"
# the same of a number assignment
ASSIGNED = "completed"
# an order that failed can still turn processed, but hardly after a long time
SETTLING_STATE = "failed"
# Of the unsettled orders looked for in their state's list, so many are taken to have left it. Most
# that are far down the list have hung there for long; where more have moved, the list is read on.
SHARE_MOVED_ON = 0.01


def is_full_walk_due(full_walk_at: int | None, now: int | None, every: int) -> bool:
    """Whether a campaign last read to its end at `full_walk_at` has to be read to its end again.

    A moment in the future was set by a wrong clock.
    """
    if full_walk_at is None or now is None:
        return True
    return now - full_walk_at >= every or is_ahead(full_walk_at, now)


def is_idle(
    cursor: Cursor | None, known: KnownCampaign | None, changed_at: int | None, now: int, after: int
) -> bool:
    """Whether nothing has been under way in a campaign for `after` microseconds.

    `changed_at` is when its own record changed. What is not known counts as under way.
    """
    if cursor is None or known is None or changed_at is None or known.unsettled:
        return False
    if cursor.watermark and not known.orders:
        return False  # all were marked as deleted, and the campaign is listed
    return max(changed_at, cursor.watermark, cursor.created_watermark) <= now - after


def pages_to_read(unsettled: Iterable[Unsettled], page_size: int, *, read: int = 1) -> int:
    """How many pages to read before the rest is fetched in other ways, for the fewest requests.

    `page_size` is the number of orders that the server puts on a page, which can be smaller than
    the one it was asked for; `read` are the pages read so far.
    """
    by_page: defaultdict[int, list[Unsettled]] = defaultdict(list)
    for order in unsettled:
        by_page[max(read, math.ceil(order.position / page_size))].append(order)
    # what lies below the pages read, by state: how many orders, and the last one's place there
    deeper: dict[str | None, tuple[int, int]] = {}
    best, fewest = read, math.inf
    for depth in sorted({read, *by_page}, reverse=True):
        requests = depth + sum(
            _cheapest(state, count, last, page_size) for state, (count, last) in deeper.items()
        )
        if requests < fewest:
            best, fewest = depth, requests
        for order in by_page[depth]:
            count, last = deeper.get(order.state, (0, 0))
            deeper[order.state] = (count + 1, max(last, order.position_in_state))
    return best


def states_to_list(unsettled: Iterable[Unsettled], page_size: int) -> dict[str, int]:
    """States whose filtered list is cheaper than asking for each order by its id.

    To each, how many pages of it reach all the orders given.
    """
    groups: defaultdict[str | None, list[int]] = defaultdict(list)
    for order in unsettled:
        groups[order.state].append(order.position_in_state)
    return {
        state: math.ceil(max(places) / page_size)
        for state, places in groups.items()
        if state is not None and _cheapest(state, len(places), max(places), page_size) < len(places)
    }


def in_order(created: Sequence[int | None], before: int | None) -> bool:
    """Whether creation times never rise, neither on this page nor from `before`, the last one's."""
    previous = math.inf if before is None else before
    for moment in created:
        if moment is None or moment > previous:
            return False
        previous = moment
    return True


def may_stop(
    pages_read: int, pages_planned: int, oldest: int | None, created_watermark: int | None
) -> bool:
    """Whether a walk in proper order may stop after the pages read so far.

    `oldest` is the creation of the last order read; every order created up to `created_watermark`
    was met in an earlier walk.
    """
    if oldest is None or created_watermark is None:
        return False
    return pages_read >= pages_planned and oldest < created_watermark


def _cheapest(state: str | None, count: int, last: int, page_size: int) -> int:
    """The requests for `count` orders of one state: through its list, or one by one."""
    if state is None:
        return count
    through_list = math.ceil(last / page_size) + math.ceil(count * SHARE_MOVED_ON)
    return min(count, through_list)
