"""Records as the API serves them, turned into Arrow tables: the one way from JSON to rows.

Pages are converted together, as many as have arrived, because each step in Arrow costs a lot once
and next to nothing per row.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.records.batch import OrderBatch, PageRecords
from sources.signalwire.records.column_names import column_names
from sources.signalwire.records.decoding import Mended, Records
from sources.signalwire.records.rejects import Reject
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS, TIMESTAMP, Table
from sources.signalwire.records.values import columns_of


class Converted(NamedTuple):
    """The rows of some pages, their ids, how many are each page's, and what is wrong in them."""

    rows: pa.Table
    ids: Sequence[str]
    counts: list[int]
    rejects: list[Reject]

    def pages(self) -> Iterator[slice]:
        """Where each page's rows are."""
        ends = list(accumulate(self.counts))
        return map(slice, [0, *ends], ends)


def convert(
    table: Table, pages: Sequence[PageRecords], *, include_sensitive: bool = False
) -> Converted:
    """Turns the records of some pages into rows of `table`, page by page in their order.

    A record without a usable id becomes a reject and no row; one with an unreadable value becomes
    both, with null for that value. Fields unknown to `table` get text columns of their own.
    """
    pages, rejects = _with_usable_ids(table, pages)
    counts = [len(page.records) for page in pages]
    fields = _fields(table, pages)
    schema = table.arrow_schema(include_sensitive)
    faults: defaultdict[int, list[str]] = defaultdict(list)
    columns = _page_columns(table, pages, counts)
    _note_contradictions(table, fields, columns, faults)
    columns |= _read_columns(table, fields, include_sensitive, faults)
    arrays = [
        columns[f.name] if f.name in columns else pa.nulls(sum(counts), f.type) for f in schema
    ]
    of_api, taken = _known_names(table)
    unknown = column_names(fields.keys() - of_api, taken)
    texts, _ = columns_of(dict.fromkeys(unknown, "text"), fields)
    for field, name in unknown.items():
        arrays.append(texts[field])
        schema = schema.append(pa.field(name, pa.string()))
    rejects += _faulty(table, pages, counts, faults)
    return Converted(pa.table(arrays, schema=schema), fields.get("id", []), counts, rejects)


def order_batches(orders: Converted) -> list[OrderBatch]:
    """The orders of each page."""
    rows, ids = orders.rows, orders.ids
    updated_at, created_at = (
        rows[name].cast(pa.int64()).to_pylist() for name in ("updated_at", "created_at")
    )
    return [
        OrderBatch(ids[page], updated_at[page], created_at[page], rows[page])
        for page in orders.pages()
    ]


def id_of(record: Any) -> Any:
    """What a record has as its id; None if it is no object."""
    return record.get("id") if isinstance(record, dict) else None


def usable_ids(records: Sequence[Any]) -> list[str]:
    """The ids of those records that have one."""
    return [record["id"] for record in records if _is_usable(record)]


def _with_usable_ids(
    table: Table, pages: Sequence[PageRecords]
) -> tuple[list[PageRecords], list[Reject]]:
    """The pages without the records that have no usable id, and those as rejects."""
    usable: list[PageRecords] = []
    rejects: list[Reject] = []
    for page in pages:
        if isinstance(page.records, Records) and page.records.have_ids:
            usable.append(page)
            continue
        usable.append(page._replace(records=list(filter(_is_usable, page.records))))
        for record in page.records:
            if not _is_usable(record):
                is_object = isinstance(record, dict)
                why = "id is missing or no text" if is_object else "not a JSON object"
                rejects.append(Reject(table.name, page.origin, None, _as_served(record), why))
    return usable, rejects


def _fields(table: Table, pages: Sequence[PageRecords]) -> dict[str, list[Any]]:
    """Each field that any record has, with its value in each record; None where there is none."""
    columns = [page.records.columns for page in pages if isinstance(page.records, Records)]
    are_alike = len(columns) == len(pages) and len(set(map(frozenset, columns))) == 1
    if are_alike and table is not NUMBER_ASSIGNMENTS:
        return {n: list(chain.from_iterable(c[n] for c in columns)) for n in columns[0]}
    records = list(chain.from_iterable(page.records for page in pages))
    if table is NUMBER_ASSIGNMENTS:
        records = list(map(_flatten, records))
    fields = dict.fromkeys(chain.from_iterable(records))
    return {name: [record.get(name) for record in records] for name in fields}


def _read_columns(
    table: Table,
    fields: Mapping[str, Sequence[Any]],
    include_sensitive: bool,
    faults: defaultdict[int, list[str]],
) -> dict[str, pa.Array]:
    """The columns that the records themselves fill."""
    elsewhere = {column.name for column in (*table.parents, *table.own)}
    known = (c for c in table.columns(include_sensitive) if c.name not in elsewhere)
    kinds = {column.name: column.kind for column in known if column.name in fields}
    columns, unreadable = columns_of(kinds, fields)
    # in the order of the columns: a reject is the same row each time only if its reason is
    for name in kinds:
        for position, why in unreadable.get(name, {}).items():
            faults[position].append(f"{name} is {why}")
    return columns


def _page_columns(
    table: Table, pages: Sequence[PageRecords], counts: Sequence[int]
) -> dict[str, pa.Array]:
    """The columns that are the same for a whole page: its parents, and when it was read."""
    place = pa.array([n for n, count in enumerate(counts) for _ in range(count)], pa.int32())
    columns = {
        name: pa.array([getattr(page.origin, name) for page in pages], pa.string()).take(place)
        for name in (column.name for column in table.parents)
    }
    if any(column.name == "read_at" for column in table.own):
        read_at = pa.array([page.read_at for page in pages], pa.int64())
        columns["read_at"] = read_at.cast(TIMESTAMP).take(place)
    return columns


def _note_contradictions(
    table: Table,
    fields: Mapping[str, Sequence[Any]],
    columns: Mapping[str, pa.Array],
    faults: defaultdict[int, list[str]],
) -> None:
    """The list a record was read from decides on its parents, whatever the record says."""
    for name in (column.name for column in table.parents if column.name in fields):
        parents = columns[name].to_pylist()
        for position, (said, parent) in enumerate(zip(fields[name], parents, strict=True)):
            if said is not None and said != parent:
                faults[position].append(f"{name} is not the one whose list it is in")


def _faulty(
    table: Table,
    pages: Sequence[PageRecords],
    counts: Sequence[int],
    faults: defaultdict[int, list[str]],
) -> list[Reject]:
    """The records that have faults, as they were served."""
    ends = list(accumulate(counts))
    for page, end in zip(pages, ends, strict=True):
        if not isinstance(page.records, Records):
            for position, record in enumerate(page.records, end - len(page.records)):
                if isinstance(record, Mended):
                    faults[position] += record.faults
    rejects = []
    for position, reasons in faults.items():
        number = bisect_right(ends, position)
        page = pages[number]
        record = page.records[position - ends[number]]
        served, why = _as_served(record), "; ".join(reasons)
        rejects.append(Reject(table.name, page.origin, record["id"], served, why))
    return rejects


def _as_served(record: Any) -> Any:
    return record.served if isinstance(record, Mended) else record


def _is_usable(record: Any) -> bool:
    identity = id_of(record)
    return isinstance(identity, str) and bool(identity.strip())


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    """Opens up `phone_number` the way dlt does for nested objects, as `phone_number__…`."""
    number = record.get("phone_number")
    if not isinstance(number, dict):
        return record
    flat = {key: value for key, value in record.items() if key != "phone_number"}
    return flat | {f"phone_number__{key}": value for key, value in number.items()}


@lru_cache
def _known_names(table: Table) -> tuple[frozenset[str], frozenset[str]]:
    """Names of fields that have a column, and of all columns, this source's own among them."""
    taken = frozenset(column.name for column in table.columns(include_sensitive=True))
    return taken - {column.name for column in table.own}, taken
