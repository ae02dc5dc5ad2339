"""The table `order_changes`, made from the orders that are loaded. Pure functions."""

from __future__ import annotations

import hashlib

import pyarrow as pa

from sources.signalwire.tables import ORDER_CHANGES

# what makes a change: the same order with the same of these is the same change, seen again
_IDENTITY = ("id", "state", "updated_at", "processed_at", "deleted_at")
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
    columns = [
        (orders[n].cast(pa.int64()) if pa.types.is_timestamp(orders[n].type) else orders[n])
        for n in _IDENTITY
    ]
    rows = zip(*(column.to_pylist() for column in columns), strict=True)
    return [hashlib.blake2b(repr(row).encode(), digest_size=12).hexdigest() for row in rows]
