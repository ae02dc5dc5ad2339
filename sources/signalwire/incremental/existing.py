"""What the destination already has: the questions that the source asks the pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.records.schema import Table


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
    moment at which any order in it was read, or a run ended; 0 without any.

    `newest_moment` is the latest of all moments noted, by any clock.
    """

    campaigns: Mapping[str, KnownCampaign]
    newest_reading: int = 0
    newest_moment: int = 0


class KnownNumbers(NamedTuple):
    """Whether the destination has any number assignment, and in which campaigns more is to come.

    That is where one is not completed or missing, an order is open or changed lately, or orders
    have no assignments yet.
    """

    any: bool = False
    under_way: frozenset[str] = frozenset()


class KnownRecord(NamedTuple):
    """A brand or campaign in the destination: its row's fingerprint, and what histories tell.

    `brand_id` is the brand that a campaign belongs to.
    """

    fingerprint: bytes
    state: str | None
    is_deleted: bool
    brand_id: str | None = None


class KnownData:
    """Answers from the tables of the destination; asked by one thread only.

    This one has no destination to ask and knows of no order: every campaign is read to its end, and
    nothing is ever called deleted.
    """

    is_known = False

    def newer_states(self) -> Sequence[Mapping[str, Any]]:
        """States of this source that runs in another layout of shards stored since the last run."""
        return []

    def space(self, untouched_since: int, page_size: int) -> KnownSpace:
        """What there is at the beginning of a run, of the brands that fall to it.

        Orders that are neither processed nor failed count as unsettled, failed ones if they were
        touched after `untouched_since`, in microseconds since the epoch (UTC). Orders of campaigns
        that hold no more than `page_size` need no position of their own.
        """
        return KnownSpace({})

    def repair_times(self, horizon: int, now: int) -> None:
        """Sets all times later than `horizon` to `now`: a clock that was wrong has noted them.

        Both are in microseconds since the epoch (UTC).
        """

    def numbers(self, changed_since: int) -> KnownNumbers:
        """What there is of number assignments, of the brands that fall to the run.

        An order that changed after `changed_since`, in microseconds since the epoch (UTC), changed
        lately.
        """
        return KnownNumbers()

    def of_campaigns(self, table: Table, campaign_ids: Sequence[str]) -> pa.Table:
        """All rows of some campaigns, deleted ones too, with the table's columns."""
        return table.arrow_schema().empty_table()

    def by_id(self, table: Table, ids: Sequence[str]) -> pa.Table:
        """Rows by their ids, with the table's columns."""
        return table.arrow_schema().empty_table()

    def records(self, *tables: Table) -> Mapping[str, Mapping[str, KnownRecord]]:
        """To each of these tables, by name, what there is under each id."""
        return {table.name: {} for table in tables}
