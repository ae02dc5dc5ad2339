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

    `read_at` is the server's clock in microseconds since the epoch (UTC).
    """

    origin: Origin
    records: Sequence[Any]
    read_at: int


class TableRows(NamedTuple):
    """Rows for one table."""

    table: str
    rows: pa.Table


@dataclass(frozen=True)
class OrderBatch:
    """The orders of one page: ids, when each changed and was created, and their rows.

    In columns, because a backfill has a million of them. Times are in microseconds since the epoch.
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
