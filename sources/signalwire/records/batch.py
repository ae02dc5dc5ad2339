"""What travels from a page to the destination: its origin, its records, its rows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

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
    """The orders of one page: their ids, and their rows in columns: a backfill has a million.

    Times are in microseconds since the epoch (UTC).
    """

    ids: Sequence[str]
    rows: pa.Table

    @cached_property
    def updated_at(self) -> list[int | None]:
        """When each of them changed."""
        return moments(self.rows["updated_at"])

    @cached_property
    def created_at(self) -> list[int | None]:
        """When each of them was created."""
        return moments(self.rows["created_at"])

    def latest(self, column: str) -> int | None:
        """The latest time in a column; None without any."""
        latest: int | None = pc.max(self.rows[column]).value
        return latest

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, positions: Sequence[int]) -> OrderBatch:
        """The orders at some positions."""
        rows = self.rows.take(pa.array(positions, pa.int64()))
        return OrderBatch([self.ids[n] for n in positions], rows)

    def marks(self, positions: Sequence[int]) -> list[str]:
        """For each position eight characters that differ when anything of the order differs."""
        rows = self.rows.take(pa.array(positions, pa.int64()))
        return [base64.b64encode(found[:6]).decode() for found in fingerprints(rows)]


def moments(column: pa.ChunkedArray) -> list[int | None]:
    """A column of times as microseconds since the epoch (UTC)."""
    found: list[int | None] = column.cast(pa.int64()).to_pylist()
    return found
