"""The tables of changes, made from the rows that are loaded. Pure functions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.records.schema import HISTORIES, TABLES

# what makes a change: the same record with the same of these is the same change, seen again
_IDENTITY = ("updated_at", "processed_at", "deleted_at", "id", "state")
_LENGTH = 12
_SEPARATOR, _NULL = "|", "\0"


def changes_of(table: str, rows: pa.Table, run_id: str) -> pa.Table:
    """For each row of a table one of the table that keeps its history."""
    schema = HISTORIES[table].arrow_schema()
    names = {field.name for field in TABLES[table].arrow_schema()}
    identity = [rows[name] for name in _IDENTITY if name in names]
    columns = {name: rows[name] for name in schema.names if name in names} | {
        "id": _digests(identity),
        f"{table.removesuffix('s')}_id": rows["id"],
        "seen_at": rows["read_at"],
        "run_id": pa.repeat(pa.scalar(run_id, pa.string()), len(rows)),
    }
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _digests(identity: Sequence[pa.ChunkedArray]) -> pa.Array:
    """Twelve bytes in hexadecimal that tell a change from all others."""
    identities = pc.binary_join_element_wise(
        *map(_as_text, identity),
        _SEPARATOR,
        null_handling="replace",
        null_replacement=_NULL,
    )
    # a copy costs half of what a new one does, and one text less than a million
    new, digests = hashlib.blake2b(digest_size=_LENGTH).copy, []
    for text in identities.cast(pa.binary()).to_pylist():
        digest = new()
        digest.update(text)
        digests.append(digest.digest())
    buffer = pa.py_buffer(b"".join(digests).hex().encode())
    joined = pa.Array.from_buffers(pa.binary(2 * _LENGTH), len(digests), [None, buffer])
    return joined.cast(pa.binary()).cast(pa.string())


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64()).cast(pa.string())
    return column
