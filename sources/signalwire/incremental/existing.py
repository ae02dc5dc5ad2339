"""What the destination already has. The source asks; whoever runs it may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pyarrow as pa

from sources.signalwire.incremental.depth import KnownSpace
from sources.signalwire.records.schema import Table


class KnownData(Protocol):
    """Answers from the tables of the destination; asked by one thread only."""

    def newer_states(self) -> Sequence[Mapping[str, Any]]:
        """States of this source that runs in another layout of shards stored since the last run."""

    def space(self, untouched_since: int, page_size: int) -> KnownSpace:
        """What there is at the beginning of a run, of the brands that fall to it.

        Orders that are neither processed nor failed count as unsettled, failed ones if they were
        touched after `untouched_since`, in microseconds since the epoch (UTC). Orders of campaigns
        that hold no more than `page_size` need no position of their own.
        """

    def mend_times(self, horizon: int, now: int) -> None:
        """Sets all times later than `horizon` to `now`: a clock that was wrong has noted them.

        Both are in microseconds since the epoch (UTC).
        """

    def orders(self, campaign_ids: Sequence[str]) -> pa.Table:
        """All orders of some campaigns, deleted ones too, with the columns of `orders`."""

    def by_id(self, order_ids: Sequence[str]) -> pa.Table:
        """Orders by their ids, with the columns of `orders`."""

    def fingerprints(self, *tables: Table) -> Mapping[str, Mapping[str, bytes]]:
        """To each id in each of these tables, by name, the fingerprint of its row."""


class NothingKnown:
    """Knows of no order: every campaign is read to its end, and nothing is ever called deleted."""

    def newer_states(self) -> Sequence[Mapping[str, Any]]:
        """None."""
        return []

    def space(self, untouched_since: int, page_size: int) -> KnownSpace:
        """Nothing."""
        return KnownSpace({})

    def mend_times(self, horizon: int, now: int) -> None:
        """Never asked: there are no times."""

    def orders(self, campaign_ids: Sequence[str]) -> pa.Table:
        """Never asked: there are no known campaigns."""
        raise LookupError("nothing is known")

    def by_id(self, order_ids: Sequence[str]) -> pa.Table:
        """Never asked: there are no known orders."""
        raise LookupError("nothing is known")

    def fingerprints(self, *tables: Table) -> Mapping[str, Mapping[str, bytes]]:
        """None."""
        return {table.name: {} for table in tables}
