"""What was read, compared with what the destination has. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.records.schema import TIMESTAMP

# when a version was read says nothing about its content
_NOT_COMPARED = frozenset({"read_at"})


class Difference(NamedTuple):
    """Rows that the destination lacks or has otherwise, and ids of orders it alone has."""

    rows: pa.Table
    missing: list[str]


def compare(read: pa.Table, known: pa.Table) -> Difference:
    """What has to be loaded so that `known` becomes `read`.

    An order that is marked as deleted in `known` and was read is different; one that was not read
    and is marked already is not missing.
    """
    before = dict(zip(known["id"].to_pylist(), _contents(known, read), strict=True))
    contents = zip(read["id"].to_pylist(), _contents(read, known), strict=True)
    different = [
        n for n, (order_id, content) in enumerate(contents) if before.get(order_id) != content
    ]
    here = known.filter(pc.is_null(known["deleted_at"]))["id"].to_pylist()
    ids = set(read["id"].to_pylist())
    rows = read.take(pa.array(different, pa.int64()))
    return Difference(rows, [order_id for order_id in here if order_id not in ids])


def marked_as_deleted(orders: pa.Table, now: int) -> pa.Table:
    """Those of some orders that are not marked as deleted yet, marked so at this moment."""
    rows = orders.filter(pc.is_null(orders["deleted_at"]))
    moment = pa.scalar(now, pa.int64()).cast(TIMESTAMP)
    for name in ("read_at", "deleted_at"):
        position = rows.schema.get_field_index(name)
        rows = rows.set_column(position, rows.schema.field(name), pa.repeat(moment, len(rows)))
    return rows


def fingerprints(rows: pa.Table) -> Iterator[bytes]:
    """Eight bytes for each row, that differ when any of its values differs.

    A column without a value counts for nothing, so that it does not matter which table has it;
    nor does when the row was read.
    """
    names = sorted({*rows.column_names} - _NOT_COMPARED)
    for row in zip(*(_values(rows, name) for name in names), strict=True):
        there = [pair for pair in zip(names, row, strict=True) if pair[1] is not None]
        yield hashlib.blake2b(repr(there).encode(), digest_size=8).digest()


def changed(read: pa.Table, known: Mapping[str, bytes]) -> pa.Table:
    """The rows that the destination lacks or has otherwise, by its fingerprints."""
    if not known:
        return read
    ids = read["id"].to_pylist()
    prints = zip(ids, fingerprints(read), strict=True)
    return read.filter(
        pa.array([known.get(row_id) != found for row_id, found in prints], pa.bool_())
    )


def _contents(rows: pa.Table, other: pa.Table) -> zip[tuple[Any, ...]]:
    """Each row's values, also of columns that only the other table has, in the same order."""
    names = sorted({*rows.column_names, *other.column_names} - _NOT_COMPARED)
    return zip(*(_values(rows, name) for name in names), strict=True)


def _values(rows: pa.Table, name: str) -> list[Any]:
    if name not in rows.column_names:
        return [None] * len(rows)
    column = rows[name]
    return list(
        column.cast(pa.int64()).to_pylist()
        if pa.types.is_timestamp(column.type)
        else column.to_pylist()
    )
