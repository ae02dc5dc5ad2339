"""Lists that are read to their end, compared with the destination many at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.incremental.diff import compare, newest_of_each
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.records.batch import Origin
from sources.signalwire.records.buffers import compacted, concatenated
from sources.signalwire.records.schema import Table
from sources.signalwire.settings import BATCH_ROWS


@dataclass(eq=False)
class Comparison:
    """Keeps the rows of whole campaigns until there are enough for one question.

    `changed` takes the rows that are new or changed, `lacking` the ids that the destination has of
    a campaign and its whole list lacks.
    """

    table: Table
    existing: KnownData
    changed: Callable[[pa.Table], None]
    lacking: Callable[[Origin, list[str]], None]

    def __post_init__(self) -> None:
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

    def _compare(self, ready: list[Origin]) -> None:
        campaigns = [str(origin.campaign_id) for origin in ready]
        known = self.existing.of_campaigns(self.table, campaigns)
        for origin in ready:
            here = known.filter(pc.equal(known["campaign_id"], origin.campaign_id))
            parts = self._waiting.pop(origin)
            read = concatenated(parts) if parts else self.table.arrow_schema().empty_table()
            difference = compare(newest_of_each(read), here)
            self.changed(difference.rows)
            if difference.missing and origin in self._walked:
                self.lacking(origin, difference.missing)
