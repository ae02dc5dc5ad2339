"""The table `order_changes`, made from the orders that are loaded. Pure functions."""

from __future__ import annotations

import hashlib

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.tables import ORDER_CHANGES

# what makes a change: the same order with the same of these is the same change, seen again
_IDENTITY = ("updated_at", "processed_at", "deleted_at", "id", "state")
_SEPARATOR, _NULL = "|", "\0"
_SAME_NAME = ("campaign_id", "brand_id", "state", "created_at", "updated_at", "processed_at")


def changes_of(orders: pa.Table, run_id: str) -> pa.Table:
    """One row of `order_changes` for each row of `orders`."""
    schema = ORDER_CHANGES.arrow_schema()
    columns = {name: orders[name] for name in (*_SAME_NAME, "deleted_at")} | {
        "id": pa.array(_digests(orders), pa.string()),
        "order_id": orders["id"],
        "seen_at": orders["read_at"],
        "run_id": pa.repeat(pa.scalar(run_id, pa.string()), len(orders)),
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _digests(orders: pa.Table) -> list[str]:
    identities = pc.binary_join_element_wise(
        *(_as_text(orders[name]) for name in _IDENTITY),
        _SEPARATOR,
        null_handling="replace",
        null_replacement=_NULL,
    )
    return [
        hashlib.blake2b(identity, digest_size=12).hexdigest()
        for identity in identities.cast(pa.binary()).to_pylist()
    ]


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).cast(pa.string())
    return column
