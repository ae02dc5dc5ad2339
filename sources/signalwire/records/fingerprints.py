"""Fingerprints of rows, to compare them without keeping them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

# when a version was read says nothing about its content
NOT_COMPARED = frozenset({"read_at"})


def fingerprints(rows: pa.Table) -> Iterator[bytes]:
    """Eight bytes for each row that differ when any of its values differs.

    A column without a value counts for nothing, so that it does not matter which table has it;
    nor does when the row was read.
    """
    names = compared_names(rows)
    for row in contents(rows, names):
        filled = [pair for pair in zip(names, row, strict=True) if pair[1] is not None]
        yield hashlib.blake2b(repr(filled).encode(), digest_size=8).digest()


def compared_names(*tables: pa.Table) -> list[str]:
    """The columns of all tables that say something about content, in a fixed order."""
    return sorted({name for table in tables for name in table.column_names} - NOT_COMPARED)


def contents(rows: pa.Table, names: list[str]) -> zip[tuple[Any, ...]]:
    """Each row's values of some columns; null where the table lacks a column."""
    return zip(*(_values(rows, name) for name in names), strict=True)


def _values(rows: pa.Table, name: str) -> list[Any]:
    if name not in rows.column_names:
        return [None] * len(rows)
    column = rows[name]
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.int64())
    values: list[Any] = column.to_pylist()
    return values
