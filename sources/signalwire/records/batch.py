"""What travels from a page to the destination: its origin, its records, its rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.records.fingerprints import fingerprints


class Origin(NamedTuple):
    """Where records were read: the list's path, and the brand and campaign it belongs to."""

    path: str
    brand_id: str | None = None
    campaign_id: str | None = None


class PageRecords(NamedTuple):
    """Records of one page as decoded JSON.

    Times are the server's clock in microseconds since the epoch (UTC), when the page was read and
    when it was served. `number` counts from 1. A restarted list has a first page again.
    """

    origin: Origin
    records: Sequence[Any]
    read_at: int
    served_at: int | None = None
    number: int = 1


class TableRows(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


@dataclass(frozen=True)
class OrderBatch:
    """The orders of one page: their rows in columns, and of each its id and two of its times.

    Times are in microseconds since the epoch (UTC), None where not known. They are lists because
    each step in Arrow gives the GIL away, and waits for it where many pages arrive.
    """

    ids: Sequence[str]
    updated_at: Sequence[int | None]
    created_at: Sequence[int | None]
    rows: pa.Table

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, positions: Sequence[int]) -> OrderBatch:
        """The orders at some positions."""
        return OrderBatch(
            [self.ids[n] for n in positions],
            [self.updated_at[n] for n in positions],
            [self.created_at[n] for n in positions],
            self.rows.take(pa.array(positions, pa.int64())),
        )

    def marks(self, positions: Sequence[int]) -> list[str]:
        """For each position eight characters that differ when anything of the order differs."""
        rows = self.rows.take(pa.array(positions, pa.int64()))
        return [base64.b64encode(found[:6]).decode() for found in fingerprints(rows)]


def latest(moments: Sequence[int | None]) -> int | None:
    """The latest of some moments; None if none is known."""
    # Any: the usual case, all known, needs no copy, and mypy does not see that all are
    known: Any = moments if None not in moments else [m for m in moments if m is not None]
    found: int | None = max(known, default=None)
    return found
