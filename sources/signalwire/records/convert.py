"""Records as the API serves them, turned into Arrow tables. Pure: nothing here does I/O."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pyarrow as pa
from dlt.common.normalizers.naming.snake_case import NamingConvention

from sources.signalwire.records.decoding import Mended
from sources.signalwire.records.schema import NUMBER_ASSIGNMENTS, REJECTED, TIMESTAMP, Table
from sources.signalwire.records.values import as_json, column_of, columns_at_once

# names dlt or a later version of this source gives to columns of its own
RESERVED_PREFIXES = ("_dlt",)
# columns that some database has in every table, or in every file; the same list everywhere, so that
# a name does not depend on the destination
RESERVED = frozenset(
    [
        "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "rownum",
        "filename", "file_index", "file_row_number",
    ]
)  # fmt: skip
# the longest name that PostgreSQL takes; dlt would shorten it, differently from the rows read
MAX_NAME = 63
_DIGESTED = re.compile(r"_x[0-9a-f]{8}$")
_naming = NamingConvention()


class Origin(NamedTuple):
    """Where records were read: the list's path, and the brand and campaign it belongs to."""

    path: str
    brand_id: str | None = None
    campaign_id: str | None = None


class Reject(NamedTuple):
    """A record that cannot be loaded as it is; `record_id` is None when it has no usable id."""

    table: str
    origin: Origin
    record_id: str | None
    record: Any
    reason: str


class Converted(NamedTuple):
    """The rows of some records, and what is wrong in them."""

    rows: pa.Table
    rejects: list[Reject]


def convert(
    table: Table,
    records: Sequence[Any],
    origins: Sequence[Origin],
    *,
    include_sensitive: bool = False,
    own: Mapping[str, pa.Scalar] | None = None,
) -> Converted:
    """Turns `records`, each of which has an origin, into rows of `table`.

    A record without a usable id becomes a reject and no row; one with an unreadable value becomes
    both, with null for that value. Fields unknown to `table` get text columns of their own.
    `own` gives values, the same for every row, of the table's own columns; others are null.
    """
    usable, origins, rejects = _split_by_usable_id(table, records, origins)
    any_mended = Mended in set(map(type, usable))
    flat = [_flatten(r) for r in usable] if table is NUMBER_ASSIGNMENTS else usable
    schema = table.arrow_schema(include_sensitive)
    arrays: list[pa.Array] = []
    faults: defaultdict[int, list[str]] = defaultdict(list)
    given = set().union(*flat)
    kinds = [(column.name, column.kind) for column in table.columns(include_sensitive)]
    at_once = columns_at_once(
        [pair for pair in kinds if pair[0] in given - _not_of_records(table)], flat
    )
    for column in table.columns(include_sensitive):
        name = column.name
        seen = name in given and name not in at_once
        raw = [record.get(name) for record in flat] if seen else []
        unfit: dict[int, str] = {}
        if column in table.own:
            constant = (own or {}).get(name, pa.scalar(None, TIMESTAMP))
            values = pa.repeat(constant, len(flat))
        elif column in table.parents:
            # the list it was read from decides, whatever the record says of its parents
            parents = [getattr(origin, name) for origin in origins]
            values = pa.array(parents, pa.string())
            unfit = _contradictions(parents, raw)
        elif name in at_once:
            values = at_once[name]
        elif name in given:
            values, unfit = column_of(column.kind, raw)
        else:
            values = pa.nulls(len(flat), schema.field(name).type)
        arrays.append(values)
        for position, why in unfit.items():
            faults[position].append(f"{name} is {why}")
    for field, name in _unknown_fields(table, given).items():
        arrays.append(column_of("text", [record.get(field) for record in flat])[0])
        schema = schema.append(pa.field(name, pa.string()))
    for position, record in enumerate(usable) if any_mended else ():
        if isinstance(record, Mended):
            faults[position] += record.faults
    for position, reasons in faults.items():
        record, origin = usable[position], origins[position]
        served = record.served if isinstance(record, Mended) else record
        rejects.append(Reject(table.name, origin, record["id"], served, "; ".join(reasons)))
    return Converted(pa.table(arrays, schema=schema), rejects)


def usable_ids(records: Sequence[Any]) -> list[str]:
    """The ids of those records that have one."""
    return [record["id"] for record in records if _is_usable(record)]


def rows_of_rejects(rejects: Sequence[Reject], run_id: str, hidden: frozenset[str]) -> pa.Table:
    """The rows of the table `rejected`; fields named in `hidden` are left out of the records."""
    rows = [_row_of_reject(reject, run_id, hidden) for reject in rejects]
    return pa.Table.from_pylist(rows, schema=REJECTED.arrow_schema())


def sensitive_fields(table: Table) -> frozenset[str]:
    """Names of the API's fields that are loaded only when asked for."""
    return frozenset(column.name for column in table.fields if column.sensitive)


def _row_of_reject(reject: Reject, run_id: str, hidden: frozenset[str]) -> dict[str, Any]:
    record = reject.record
    if isinstance(record, dict):
        record = {key: value for key, value in record.items() if key not in hidden}
    row = {
        "table_name": reject.table,
        "path": reject.origin.path,
        "brand_id": reject.origin.brand_id,
        "campaign_id": reject.origin.campaign_id,
        "record_id": reject.record_id,
        "record": as_json(record),
        "reason": reject.reason,
    }
    digest = hashlib.blake2b(as_json(row).encode(), digest_size=16).hexdigest()
    return {"id": digest, "run_id": run_id, **row}


def _split_by_usable_id(
    table: Table, records: Sequence[Any], origins: Sequence[Origin]
) -> tuple[Sequence[dict[str, Any]], Sequence[Origin], list[Reject]]:
    if _all_usable(records):
        return records, origins, []
    usable: list[tuple[dict[str, Any], Origin]] = []
    rejects: list[Reject] = []
    for record, origin in zip(records, origins, strict=True):
        if _is_usable(record):
            usable.append((record, origin))
        else:
            is_object = isinstance(record, dict)
            why = "id is missing or no text" if is_object else "not a JSON object"
            served = record.served if isinstance(record, Mended) else record
            rejects.append(Reject(table.name, origin, None, served, why))
    return [record for record, _ in usable], [origin for _, origin in usable], rejects


def _is_usable(record: Any) -> bool:
    identity = record.get("id") if isinstance(record, dict) else None
    return isinstance(identity, str) and bool(identity.strip())


def _all_usable(records: Sequence[Any]) -> bool:
    """The usual case, at a third of what it costs to look at the records one by one."""
    if set(map(type, records)) != {dict}:
        return False
    ids = [record.get("id") for record in records]
    return set(map(type, ids)) == {str} and all(map(str.strip, ids))


def _not_of_records(table: Table) -> set[str]:
    """Columns whose values do not come from the records."""
    return {column.name for column in (*table.parents, *table.own)}


def _contradictions(parents: Sequence[str | None], raw: Sequence[Any]) -> dict[int, str]:
    return {
        position: "not the one whose list it is in"
        for position, (said, parent) in enumerate(zip(raw, parents, strict=False))
        if said is not None and said != parent
    }


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


def column_names(fields: Iterable[str], taken: frozenset[str]) -> dict[str, str]:
    """Column names, in the destination's snake case, for fields that have no column yet.

    `taken` are the table's own; no name depends on which other fields there are.
    """
    return {field: _column_name(field, taken) for field in sorted(fields)}


@lru_cache(maxsize=1_000)
def _column_name(field: str, taken: frozenset[str]) -> str:
    """The field's own name if it is in snake case and free, with `api_` before it if it is not.

    All other spellings get a digest, because several of them make the same name.
    """
    name = _snake_case(field)
    exact = field == name and not _DIGESTED.search(name)
    if _is_reserved(name, taken):
        name = f"api_{name.lstrip('_')}"
    elif name.startswith("api_"):
        rest = name.removeprefix("api_")
        exact = exact and not (_is_reserved(rest, taken) or _is_reserved(f"_{rest}", taken))
    if exact and len(name) <= MAX_NAME:
        return name
    tag = f"_x{hashlib.blake2b(field.encode(), digest_size=4).hexdigest()}"
    return name[: MAX_NAME - len(tag)].rstrip("_") + tag


def _is_reserved(name: str, taken: frozenset[str]) -> bool:
    return name in taken or name in RESERVED or name.startswith(RESERVED_PREFIXES)


def _snake_case(field: str) -> str:
    return str(_naming.normalize_path(field)) if field.strip() else "unnamed"
