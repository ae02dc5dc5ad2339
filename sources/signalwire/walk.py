"""How far a campaign's orders are read. Pure functions of plain values.

A list of orders comes newest-created first, and cannot be filtered by time. An order is *settled*
once it is processed, or untouched for a long time; settled orders are not expected to change. So a
walk may stop where all that is older was settled at the last walk, as long as it brings the
unsettled orders further down up to date in another way. Every so often a campaign is read to its
end, which catches settled orders that changed after all, and orders that vanished.

All moments are in microseconds since the epoch, UTC.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

FINAL_STATE = "processed"
# Of the unsettled orders looked for in their state's list, so many have left that state by then and
# take a request each all the same.
SHARE_MOVED_ON = 0.1


class Unsettled(NamedTuple):
    """An order in the destination that may still change.

    `position` counts the campaign's known orders from the newest-created, 1 first;
    `position_in_state` those in the same state.
    """

    order_id: str
    state: str | None
    position: int = 1
    position_in_state: int = 1


class KnownCampaign(NamedTuple):
    """What the destination has of a campaign: how many orders, and which may still change."""

    orders: int = 0
    unsettled: tuple[Unsettled, ...] = ()


class KnownSpace(NamedTuple):
    """What the destination has: campaigns with orders that are not deleted, by id, and the latest
    moment at which any order in it was read; 0 without orders.
    """

    campaigns: Mapping[str, KnownCampaign]
    newest_reading: int = 0


def is_full_walk_due(full_walk_at: int | None, now: int | None, every: int) -> bool:
    """Whether a campaign last read to its end at `full_walk_at` has to be read to its end again."""
    return full_walk_at is None or now is None or now - full_walk_at >= every


def pages_to_read(known: KnownCampaign, page_size: int) -> int:
    """How many pages to read before the rest is looked up otherwise, for the fewest requests."""
    depths = {1} | {math.ceil(order.position / page_size) for order in known.unsettled}

    def requests(pages: int) -> int:
        deeper = [o for o in known.unsettled if o.position > pages * page_size]
        return pages + sum(_cheapest(group, page_size) for group in _by_state(deeper).values())

    return min(sorted(depths, reverse=True), key=requests)


def states_to_list(unsettled: Iterable[Unsettled], page_size: int) -> dict[str, int]:
    """States whose filtered list is cheaper than asking for each order by its id.

    To each, how many pages of it reach all the orders given.
    """
    return {
        state: _pages_of_list(group, page_size)
        for state, group in _by_state(unsettled).items()
        if state is not None and _cheapest(group, page_size) < len(group)
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


def _by_state(orders: Iterable[Unsettled]) -> dict[str | None, list[Unsettled]]:
    groups: defaultdict[str | None, list[Unsettled]] = defaultdict(list)
    for order in orders:
        groups[order.state].append(order)
    return dict(groups)


def _pages_of_list(group: list[Unsettled], page_size: int) -> int:
    return math.ceil(max(order.position_in_state for order in group) / page_size)


def _cheapest(group: list[Unsettled], page_size: int) -> int:
    """The requests for orders of one state: through its list, or one by one."""
    if group[0].state is None:
        return len(group)
    through_list = _pages_of_list(group, page_size) + math.ceil(len(group) * SHARE_MOVED_ON)
    return min(len(group), through_list)
