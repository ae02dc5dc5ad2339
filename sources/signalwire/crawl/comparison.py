"""Lists that are read to their end, compared with the destination many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.crawl.output import Output
from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.diff import compare, marked_as_deleted, newest_of_each
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.records.batch import Origin
from sources.signalwire.records.buffers import compacted, concatenated
from sources.signalwire.records.schema import ORDERS, Table
from sources.signalwire.settings import BATCH_ROWS
from sources.signalwire.stats import RunStats


@dataclass(eq=False)
class Comparison:
    """Keeps the rows of whole campaigns until there are enough for one question.

    `lacking` takes the ids that the destination has of a campaign and its whole list lacks;
    `changed` the rows that are new or changed, by default `output` does.
    """

    output: Output
    existing: KnownData
    clock: ServerClock
    stats: RunStats
    lacking: Callable[[Origin, list[str]], None]
    table: Table = ORDERS
    changed: Callable[[pa.Table], None] | None = None

    def __post_init__(self) -> None:
        self._changed = self.changed or partial(self.output.rows, self.table)
        self._waiting: dict[Origin, list[pa.Table]] = {}
        self._walked: set[Origin] = set()

    def add(self, origin: Origin, rows: pa.Table) -> None:
        """Takes rows of a campaign."""
        # copied, since they wait for the rest of their campaign, and others' rows need not
        self._waiting.setdefault(origin, []).append(compacted(rows))

    def walked(self, origin: Origin) -> None:
        """Notes that a campaign was read to its end; it may have turned out empty."""
        self._waiting.setdefault(origin, [])
        self._walked.add(origin)
        if sum(len(rows) for parts in self._waiting.values() for rows in parts) >= BATCH_ROWS:
            self._compare([o for o in self._waiting if o in self._walked])

    @property
    def waiting(self) -> Iterator[str]:
        """The campaigns whose rows wait to be compared."""
        return (str(origin.campaign_id) for origin in self._waiting)

    def finish(self) -> bool:
        """Compares what is left, also of campaigns that failed midway; whether there was any."""
        ready = list(self._waiting)
        if ready:
            self._compare(ready)
        return bool(ready)

    def gone(self, order_ids: list[str]) -> None:
        """Marks orders as deleted that the API answers 404 for."""
        rows = marked_as_deleted(self.existing.by_id(ORDERS, order_ids), self.clock.now())
        self.stats.add(orders_deleted=len(rows))
        self.output.rows(ORDERS, rows)

    def _compare(self, ready: list[Origin]) -> None:
        campaigns = [str(origin.campaign_id) for origin in ready]
        known = self.existing.of_campaigns(self.table, campaigns)
        for origin in ready:
            here = known.filter(pc.equal(known["campaign_id"], origin.campaign_id))
            parts = self._waiting.pop(origin)
            read = concatenated(parts) if parts else self.table.arrow_schema().empty_table()
            difference = compare(newest_of_each(read), here)
            self._changed(difference.rows)
            if difference.missing and origin in self._walked:
                self.lacking(origin, difference.missing)
