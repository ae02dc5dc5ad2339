"""A long page of orders, from JSON straight into columns, without a Python object for each value.

Orders are what there are a million of. A page of which every value is as documented is read here,
outside Python's interpreter; all others are left to `records.py`. Both make the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from sources.signalwire.records import Origin
from sources.signalwire.tables import ORDERS

# Arrow's parser takes a fraction of a millisecond to begin, in which orjson has read a short page;
# this is some 250 orders, in bytes
LONG = 60_000
_OWN = frozenset(column.name for column in ORDERS.own)
_SCHEMA = pa.schema([field for field in ORDERS.arrow_schema() if field.name not in _OWN])
_LINKS = pa.struct([(name, pa.string()) for name in ("self", "first", "next", "prev")])
_RECORD = pa.struct([(name, pa.string()) for name in _SCHEMA.names])
_ROW = pa.struct([(field.name, field.type) for field in _SCHEMA])
_PAGE = pa.struct([("links", _LINKS), ("data", pa.list_(_RECORD))])
_AS_DOCUMENTED = json.ParseOptions(
    explicit_schema=pa.schema([("page", _PAGE)]),
    newlines_in_values=True,
    unexpected_field_behavior="error",
)


def decode_orders(body: bytes, origin: Origin) -> Any:
    """The page that is the JSON `body` of the list of orders at `origin`.

    Its `data` are rows without this source's own columns, if all is as documented; otherwise the
    page is as the JSON has it. Raises JSONDecodeError if it is none.
    """
    if len(body) >= LONG and (page := _parsed(body)) is not None:
        rows = _rows(page.field("data").flatten(), origin)
        if rows is not None:
            return {"links": page.field("links")[0].as_py(), "data": rows}
    return orjson.loads(body)


def with_own_columns(rows: pa.Table, own: Mapping[str, pa.Scalar]) -> pa.Table:
    """The rows with this source's own columns: to each its value, or null where none is given."""
    for column in ORDERS.arrow_schema():
        if column.name in _OWN:
            value = own.get(column.name, pa.scalar(None, column.type))
            rows = rows.append_column(column, pa.repeat(value, len(rows)))
    return rows


def _parsed(body: bytes) -> pa.StructArray | None:
    """The page, read without a Python object for each value; None for anything undocumented."""
    # Arrow does not check that text is UTF-8
    if not body.isascii():
        return None
    # wrapped, because a bare `null` ends the whole process in Arrow 26
    wrapped = b'{"page":%b}' % body
    # one block, or a value would have to fit in a block
    options = json.ReadOptions(use_threads=False, block_size=len(wrapped) + 1)
    try:
        read = json.read_json(pa.BufferReader(wrapped), options, _AS_DOCUMENTED)
    except pa.ArrowException:
        return None
    # more than one if the body ends the object it is wrapped into, and begins another
    if len(read) != 1:
        return None
    # of a page that is null, the data are too
    page = read["page"].chunk(0)
    return None if page.field("data").null_count else page


def _rows(records: pa.StructArray, origin: Origin) -> pa.Table | None:
    # a record that is null has a null id
    ids = records.field("id")
    if ids.null_count or not all(map(str.strip, ids.to_pylist())):
        return None
    parents = {
        name: pa.scalar(getattr(origin, name), pa.string()) for name in ("campaign_id", "brand_id")
    }
    if not all(_agrees(records.field(name), parent) for name, parent in parents.items()):
        return None
    try:
        typed = records.cast(_ROW)
    except pa.ArrowException:
        return None
    columns = [
        pa.repeat(parents[name], len(records)) if name in parents else typed.field(name)
        for name in _SCHEMA.names
    ]
    return pa.table(columns, schema=_SCHEMA)


def _agrees(said: pa.Array, parent: pa.Scalar) -> bool:
    """Whether records name this parent, or none."""
    if said.null_count == len(said):
        return True
    agreeing: Any = pc.all(pc.equal(said, parent)).as_py()
    return agreeing is not False
