"""The way through a space: brands, their campaigns, each campaign's orders, side by side.

The worker threads read and convert (`reader.py`); what they find comes to the one consumer here,
which decides what is read next, gathers rows into batches, and keeps cursors and failures.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import pyarrow as pa

from sources.signalwire.client import Client
from sources.signalwire.cursor import Cursor
from sources.signalwire.reader import (
    BrandsFound,
    CampaignsFound,
    CampaignWalked,
    Failure,
    Finding,
    Reader,
    Rows,
)
from sources.signalwire.selection import Selection
from sources.signalwire.settings import BATCH_ROWS, MAX_BATCH_PARTS
from sources.signalwire.stats import RunStats
from sources.signalwire.tables import CAMPAIGN_FAILURES, NUMBER_ASSIGNMENTS, ORDERS
from sources.signalwire.workers import Workers

logger = logging.getLogger(__name__)


class Traversal:
    """One run's way through the space.

    After `rows` is exhausted, `cursors` holds the cursor of every campaign walked to the end (and
    the earlier ones of all others), and `failures` what could not be read.
    """

    def __init__(
        self,
        client: Client,
        selection: Selection,
        cursors: dict[str, Cursor],
        stats: RunStats,
    ) -> None:
        self.cursors = dict(cursors)
        self.failures: list[Failure] = []
        self._client = client
        self._selection = selection
        self._reader = Reader(client, selection, cursors, stats)
        self._stats = stats
        self._seen: set[str] = set()
        self._not_found_yet = set(selection.campaign_ids)
        self._walks_wanted = bool({ORDERS.name, NUMBER_ASSIGNMENTS.name} & selection.resources)

    def rows(self) -> Iterator[Rows]:
        """Reads everything selected and yields the rows that are new or changed, in large batches.

        A campaign or brand that cannot be read becomes a failure and does not stop the others.

        Raises:
            AccessDenied: the credentials or their scopes are refused.
            ReadError: the list of brands, where everything begins, cannot be read.
        """
        self._workers: Workers[Finding] = Workers(self._selection.workers)
        batches = _Batches()
        try:
            self._begin()
            for finding in self._workers:
                if isinstance(finding, Rows):
                    yield from batches.add(finding)
                else:
                    self._follow(finding)
            for campaign_id in sorted(self._not_found_yet):
                self._follow(self._reader.no_such_campaign(campaign_id))
            yield from batches.rest()
            if self.failures:
                yield _rows_of_failures(self.failures, self._stats.run_id)
        finally:
            self._workers.close()
            self._client.close()

    def _begin(self) -> None:
        if not self._selection.brand_ids:
            self._workers.submit(self._reader.brands)
        for brand_id in self._selection.brand_ids:
            self._workers.submit(partial(self._reader.brand, brand_id))

    def _follow(self, finding: Finding) -> None:
        """Takes note of a finding and sends the workers where it leads."""
        match finding:
            case BrandsFound(brand_ids):
                for brand_id in (new := self._unseen(brand_ids)):
                    self._workers.submit(partial(self._campaigns_of, brand_id))
                self._stats.add(brands=len(new))
            case CampaignsFound(brand_id, campaign_ids):
                self._not_found_yet.difference_update(campaign_ids)
                new = self._unseen(campaign_ids)
                self._stats.add(campaigns=len(new))
                for campaign_id in new if self._walks_wanted else ():
                    self._workers.submit(partial(self._reader.campaign, brand_id, campaign_id))
            case CampaignWalked(campaign_id, cursor) if cursor is not None:
                self.cursors[campaign_id] = cursor
            case Failure(_, reason):
                logger.warning("%s", reason)
                self.failures.append(finding)
                self._stats.failures.append(reason)

    def _unseen(self, ids: list[str]) -> list[str]:
        """Those met for the first time: one that slid to a later page is not read twice."""
        new = [i for i in dict.fromkeys(ids) if i not in self._seen]
        self._seen.update(new)
        return new

    def _campaigns_of(self, brand_id: str) -> Iterator[Finding]:
        if self._selection.campaign_ids and not self._not_found_yet:
            return iter(())  # those asked for are found; no need to look further
        return self._reader.campaigns(brand_id)


class _Batches:
    """Gathers the rows of many small pages into few large tables."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {}
        self._counts: dict[str, int] = {}

    def add(self, found: Rows) -> Iterator[Rows]:
        parts = self._parts.setdefault(found.table, [])
        parts.append(found.rows)
        self._counts[found.table] = self._counts.get(found.table, 0) + len(found.rows)
        if self._counts[found.table] >= BATCH_ROWS:
            yield self._take(found.table)
        elif len(parts) >= MAX_BATCH_PARTS:
            parts[:] = [_joined(parts)]

    def rest(self) -> Iterator[Rows]:
        for table in list(self._parts):
            yield self._take(table)

    def _take(self, table: str) -> Rows:
        del self._counts[table]
        return Rows(table, _joined(self._parts.pop(table)))


def _joined(parts: list[pa.Table]) -> pa.Table:
    # pages with a field that others lack are filled up with nulls
    return pa.concat_tables(parts, promote_options="default").combine_chunks()


def _rows_of_failures(failures: list[Failure], run_id: str) -> Rows:
    rows = [
        {
            "id": f"{run_id} {failure.origin.path}",
            "run_id": run_id,
            "reason": failure.reason,
            "failed_at": failure.failed_at,
            **failure.origin._asdict(),
        }
        for failure in failures
    ]
    return Rows(
        CAMPAIGN_FAILURES.name,
        pa.Table.from_pylist(rows, schema=CAMPAIGN_FAILURES.arrow_schema()),
    )
