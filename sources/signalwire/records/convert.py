"""Records as the API serves them, turned into Arrow tables: the one way from JSON to rows.

Pages are converted together, as many as have arrived, because each step in Arrow costs a lot once
and next to nothing per row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.records.batch import OrderBatch, PageRecords
from sources.signalwire.records.column_names import column_names
from sources.signalwire.records.decoding import Mended
from sources.signalwire.records.rejects import Reject
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS, ORDERS, TIMESTAMP, Table
from sources.signalwire.records.values import columns_of


class Converted(NamedTuple):
    """The rows of some pages, how many of them are each page's, and what is wrong in them."""

    rows: pa.Table
    counts: list[int]
    rejects: list[Reject]


def convert(
    table: Table, pages: Sequence[PageRecords], *, include_sensitive: bool = False
) -> Converted:
    """Turns the records of some pages into rows of `table`, page by page in their order.

    A record without a usable id becomes a reject and no row; one with an unreadable value becomes
    both, with null for that value. Fields unknown to `table` get text columns of their own.
    """
    records, counts, rejects = _split_by_usable_id(table, pages)
    fields = [_flatten(r) for r in records] if table is NUMBER_ASSIGNMENTS else records
    shapes = set(map(tuple, fields))
    given = set().union(*shapes)
    schema = table.arrow_schema(include_sensitive)
    faults: defaultdict[int, list[str]] = defaultdict(list)
    columns = _page_columns(table, pages, counts)
    _note_contradictions(table, fields, given, columns, faults)
    columns |= _read_columns(table, fields, shapes, include_sensitive, faults)
    arrays = [
        columns[f.name] if f.name in columns else pa.nulls(len(fields), f.type) for f in schema
    ]
    unknown = _unknown_fields(table, given)
    texts, _ = columns_of(dict.fromkeys(unknown, "text"), fields)
    for field, name in unknown.items():
        arrays.append(texts[field])
        schema = schema.append(pa.field(name, pa.string()))
    rejects += _faulty(table, pages, records, counts, faults)
    return Converted(pa.table(arrays, schema=schema), counts, rejects)


def order_batches(pages: Sequence[PageRecords]) -> tuple[list[OrderBatch], list[Reject]]:
    """The orders of each page, and what is wrong in them."""
    rows, counts, rejects = convert(ORDERS, pages)
    ids = rows["id"].to_pylist()
    ends = list(accumulate(counts))
    parts = map(slice, [0, *ends], ends)
    return [OrderBatch(ids[part], rows[part]) for part in parts], rejects


def usable_ids(records: Sequence[Any]) -> list[str]:
    """The ids of those records that have one."""
    return [record["id"] for record in records if _is_usable(record)]


def _read_columns(
    table: Table,
    records: Sequence[dict[str, Any]],
    shapes: set[tuple[str, ...]],
    include_sensitive: bool,
    faults: defaultdict[int, list[str]],
) -> dict[str, pa.Array]:
    """The columns that the records themselves fill; `shapes` are the fields that records have."""
    elsewhere = {column.name for column in (*table.parents, *table.own)}
    given = set().union(*shapes) - elsewhere
    kinds = {c.name: c.kind for c in table.columns(include_sensitive) if c.name in given}
    in_all = all(kinds.keys() <= set(shape) for shape in shapes)
    columns, unreadable = columns_of(kinds, records, in_all=in_all)
    # in the order of the columns: a reject is the same row each time only if its reason is
    for name in kinds:
        for position, why in unreadable.get(name, {}).items():
            faults[position].append(f"{name} is {why}")
    return columns


def _page_columns(
    table: Table, pages: Sequence[PageRecords], counts: Sequence[int]
) -> dict[str, pa.Array]:
    """The columns that are the same for a whole page: its parents, and when it was read."""
    filled = [page for page, count in zip(pages, counts, strict=True) if count]
    ends = pa.array([end for end, count in zip(accumulate(counts), counts, strict=True) if count])

    def repeated(values: list[Any], kind: pa.DataType) -> pa.Array:
        runs = pa.RunEndEncodedArray.from_arrays(ends.cast(pa.int32()), pa.array(values, kind))
        return pc.run_end_decode(runs)

    columns = {
        column.name: repeated([getattr(page.origin, column.name) for page in filled], pa.string())
        for column in table.parents
    }
    if any(column.name == "read_at" for column in table.own):
        read_at = repeated([page.read_at for page in filled], pa.int64())
        columns["read_at"] = read_at.cast(TIMESTAMP)
    return columns


def _note_contradictions(
    table: Table,
    records: Sequence[dict[str, Any]],
    given: set[str],
    columns: dict[str, pa.Array],
    faults: defaultdict[int, list[str]],
) -> None:
    """The list a record was read from decides on its parents, whatever the record says."""
    for name in (column.name for column in table.parents if column.name in given):
        for position, parent in enumerate(columns[name].to_pylist()):
            said = records[position].get(name)
            if said is not None and said != parent:
                faults[position].append(f"{name} is not the one whose list it is in")


def _faulty(
    table: Table,
    pages: Sequence[PageRecords],
    records: Sequence[dict[str, Any]],
    counts: Sequence[int],
    faults: defaultdict[int, list[str]],
) -> list[Reject]:
    """The records that have faults, as they were served."""
    if Mended in set(map(type, records)):
        for position, record in enumerate(records):
            if isinstance(record, Mended):
                faults[position] += record.faults
    ends = list(accumulate(counts))
    return [
        Reject(
            table.name,
            pages[bisect_right(ends, position)].origin,
            records[position]["id"],
            _as_served(records[position]),
            "; ".join(reasons),
        )
        for position, reasons in faults.items()
    ]


def _split_by_usable_id(
    table: Table, pages: Sequence[PageRecords]
) -> tuple[list[dict[str, Any]], list[int], list[Reject]]:
    """The records that have an id, how many each page has, and the others."""
    usable: list[dict[str, Any]] = []
    counts: list[int] = []
    rejects: list[Reject] = []
    for page in pages:
        before = len(usable)
        if _all_usable(page.records):
            usable += page.records
        else:
            for record in page.records:
                if _is_usable(record):
                    usable.append(record)
                    continue
                is_object = isinstance(record, dict)
                why = "id is missing or no text" if is_object else "not a JSON object"
                rejects.append(Reject(table.name, page.origin, None, _as_served(record), why))
        counts.append(len(usable) - before)
    return usable, counts, rejects


def _as_served(record: Any) -> Any:
    return record.served if isinstance(record, Mended) else record


def _is_usable(record: Any) -> bool:
    identity = record.get("id") if isinstance(record, dict) else None
    return isinstance(identity, str) and bool(identity.strip())


def _all_usable(records: Sequence[Any]) -> bool:
    """The usual case, at a third of what it costs to look at the records one by one."""
    if set(map(type, records)) != {dict}:
        return False
    ids = [record.get("id") for record in records]
    return set(map(type, ids)) == {str} and all(map(str.strip, ids))


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    """Opens up `phone_number` the way dlt does for nested objects, as `phone_number__…`."""
    number = record.get("phone_number")
    if not isinstance(number, dict):
        return record
    flat = {key: value for key, value in record.items() if key != "phone_number"}
    return flat | {f"phone_number__{key}": value for key, value in number.items()}


def _unknown_fields(table: Table, given: set[str]) -> dict[str, str]:
    of_api, taken = _known_names(table)
    unknown = given - of_api
    return column_names(unknown, taken) if unknown else {}


@lru_cache
def _known_names(table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """Names of fields that have a column, and of all columns, this source's own among them."""
    taken = frozenset(column.name for column in table.columns(include_sensitive=True))
    return taken - {column.name for column in table.own}, taken
