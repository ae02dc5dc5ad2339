"""Pages of orders, from JSON straight into columns, without a Python object for each value.

Orders are what there are a million of. Pages of which every value is as documented are read here,
many at a time and outside Python's interpreter; all others are left to `records.py`. Both make the
same rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json

from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer
from sources.signalwire.incremental.cursor import Versions
from sources.signalwire.records.convert import Origin
from sources.signalwire.records.decoding import decoded, is_plain
from sources.signalwire.records.schema import ORDERS, TIMESTAMP
from sources.signalwire.settings import BYTES_AT_ONCE

_Fetched: TypeAlias = tuple[Get, Answer]
_SCHEMA = ORDERS.arrow_schema()
_OWN = frozenset(column.name for column in ORDERS.own)
_FIELDS = [field for field in _SCHEMA if field.name not in _OWN]
_LINKS = pa.struct([(name, pa.string()) for name in ("self", "first", "next", "prev")])
_RECORD = pa.struct([(field.name, pa.string()) for field in _FIELDS])
_ROW = pa.struct([(field.name, field.type) for field in _FIELDS])
_PAGE = pa.struct([("links", _LINKS), ("data", pa.list_(_RECORD))])
_AS_DOCUMENTED = json.ParseOptions(
    explicit_schema=pa.schema([("page", _PAGE)]),
    newlines_in_values=True,
    unexpected_field_behavior="error",
)


class _Body(NamedTuple):
    """A page as it came: its JSON, whose orders they are, and when it was read."""

    body: bytes
    origin: Origin
    read_at: int


def decode_pages(fetched: Sequence[_Fetched]) -> list[Answer | None]:
    """The answers, with what came as bytes decoded; None in place of one that is no JSON.

    The `data` of a page of orders are `Versions` if all is as documented; otherwise the page is as
    the JSON has it.
    """
    answers: list[Answer | None] = []
    for together in _bit_by_bit(fetched):
        answers += _decoded(together)
    return answers


def _bit_by_bit(fetched: Sequence[_Fetched]) -> Iterator[Sequence[_Fetched]]:
    """Parts of so many bytes that memory does not grow with the pages' size."""
    part: list[_Fetched] = []
    size = 0
    for request, answer in fetched:
        part.append((request, answer))
        size += len(answer.payload) if isinstance(answer.payload, bytes) else 0
        if size >= BYTES_AT_ONCE:
            yield part
            part, size = [], 0
    yield part


def _decoded(fetched: Sequence[_Fetched]) -> list[Answer | None]:
    bodies = {
        place: _Body(answer.payload, request.orders_of, answer.read_at)
        for place, (request, answer) in enumerate(fetched)
        # Arrow does not check that text is UTF-8, and takes what not every destination can
        if request.orders_of and isinstance(answer.payload, bytes) and is_plain(answer.payload)
    }
    pages = _in_columns(list(bodies.values())) if bodies else None
    in_columns = dict(zip(bodies, pages, strict=True)) if pages is not None else {}
    return [
        answer._replace(payload=in_columns[place]) if place in in_columns else _as_json(answer)
        for place, (_, answer) in enumerate(fetched)
    ]


def _as_json(answer: Answer) -> Answer | None:
    if not isinstance(answer.payload, bytes):
        return answer
    try:
        return answer._replace(payload=decoded(answer.payload))
    except ValueError:
        return None


def _in_columns(bodies: Sequence[_Body]) -> list[dict[str, Any]] | None:
    """All the pages, if all of all of them is as documented."""
    pages = _parsed([body.body for body in bodies])
    versions = _versions(pages.field("data"), bodies) if pages is not None else None
    if pages is None or versions is None:
        return None
    links = pages.field("links").to_pylist()
    return [{"links": of, "data": data} for of, data in zip(links, versions, strict=True)]


def _parsed(bodies: Sequence[bytes]) -> pa.StructArray | None:
    """The pages, read without a Python object for each value; None for anything undocumented."""
    # wrapped, because a bare `null` ends the whole process in Arrow 26
    wrapped = b"".join(part for body in bodies for part in (b'{"page":', body, b"}\n"))
    # one block, or a value would have to fit in a block
    options = json.ReadOptions(use_threads=False, block_size=len(wrapped) + 1)
    try:
        read = json.read_json(pa.BufferReader(wrapped), options, _AS_DOCUMENTED)
    except pa.ArrowException:
        return None
    # more if a body ends the object it is wrapped into, and begins another
    if len(read) != len(bodies):
        return None
    # of a page that is null, the data are too
    pages = read["page"].chunk(0)
    return None if pages.field("data").null_count else pages


def _versions(data: pa.ListArray, bodies: Sequence[_Body]) -> list[Versions] | None:
    """The rows of each page, with this source's own columns."""
    records, page_of = data.flatten(), pc.list_parent_indices(data)
    # a record that is null has a null id
    ids = records.field("id").to_pylist()
    if records.field("id").null_count or not all(map(str.strip, ids)):
        return None
    try:
        typed = records.cast(_ROW)
    except pa.ArrowException:
        return None
    columns = {field.name: typed.field(field.name) for field in _FIELDS}
    for name in ("campaign_id", "brand_id"):
        parents = pa.array([getattr(body.origin, name) for body in bodies], pa.string())
        columns[name] = parents.take(page_of)
        if not _agree(records.field(name), columns[name]):
            return None
    read_at = pa.array([body.read_at for body in bodies], pa.int64()).cast(TIMESTAMP)
    columns |= {"read_at": read_at.take(page_of), "deleted_at": pa.nulls(len(ids), TIMESTAMP)}
    rows = pa.table([columns[name] for name in _SCHEMA.names], schema=_SCHEMA)
    updated, created = (
        typed.field(name).view(pa.int64()).to_pylist() for name in ("updated_at", "created_at")
    )
    ends = pc.cumulative_sum(pc.list_value_length(data)).to_pylist()
    return [
        Versions(ids[a:b], updated[a:b], created[a:b], rows.slice(a, b - a))
        for a, b in zip([0, *ends], ends, strict=False)
    ]


def _agree(said: pa.Array, parents: pa.Array) -> bool:
    """Whether records name their parents, or none."""
    if said.null_count == len(said):
        return True
    agreeing: Any = pc.all(pc.equal(said, parents)).as_py()
    return agreeing is not False
