"""What was read, compared with what the destination has: rows to upsert, ids that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.incremental.cursor import is_outdated
from sources.signalwire.incremental.existing import KnownRecord
from sources.signalwire.records.fingerprints import compared_names, contents, fingerprints
from sources.signalwire.records.schema import TIMESTAMP


class Difference(NamedTuple):
    """Rows to upsert, and ids of orders missing from the API."""

    rows: pa.Table
    missing: list[str]


def compare(read: pa.Table, known: pa.Table) -> Difference:
    """What has to be loaded so that `known` becomes `read`.

    An order that is marked as deleted in `known` and was read is different; one that was not read
    and is marked already is not missing.
    """
    names = compared_names(known, read)
    before = dict(zip(known["id"].to_pylist(), contents(known, names), strict=True))
    found = zip(read["id"].to_pylist(), contents(read, names), strict=True)
    different = [n for n, (order_id, row) in enumerate(found) if before.get(order_id) != row]
    here = known.filter(pc.is_null(known["deleted_at"]))["id"].to_pylist()
    ids = set(read["id"].to_pylist())
    rows = read.take(pa.array(different, pa.int64()))
    return Difference(rows, [order_id for order_id in here if order_id not in ids])


def marked_as_deleted(rows: pa.Table, now: int) -> pa.Table:
    """Those of some rows that are not marked as deleted yet, marked so at this moment."""
    return dated(rows.filter(pc.is_null(rows["deleted_at"])), now, "read_at", "deleted_at")


def dated(rows: pa.Table, now: int, *names: str) -> pa.Table:
    """The rows with this moment, in microseconds since the epoch (UTC), in some columns."""
    moment = pa.scalar(now, pa.int64()).cast(TIMESTAMP)
    for name in names:
        position = rows.schema.get_field_index(name)
        rows = rows.set_column(position, rows.schema.field(name), pa.repeat(moment, len(rows)))
    return rows


def changed(read: pa.Table, known: Mapping[str, KnownRecord]) -> pa.Table:
    """The rows that the destination lacks or has otherwise, by its fingerprints."""
    if not known:
        return read
    found = zip(map(known.get, read["id"].to_pylist()), fingerprints(read), strict=True)
    different = [before is None or before.fingerprint != now for before, now in found]
    return read.filter(pa.array(different, pa.bool_()))


def entered_state(read: pa.Table, known: Mapping[str, KnownRecord]) -> pa.Table:
    """The rows whose state the destination has otherwise, or that were deleted or not there."""
    found = zip(map(known.get, read["id"].to_pylist()), read["state"].to_pylist(), strict=True)
    entered = [b is None or b.is_deleted or b.state != state for b, state in found]
    return read.filter(pa.array(entered, pa.bool_()))


def newest_of_each(rows: pa.Table) -> pa.Table:
    """Each order once: the row read last, unless the times of change say that it is older."""
    ids = rows["id"].to_pylist()
    if len(set(ids)) == len(ids):
        return rows
    changed, read = (rows[name].cast(pa.int64()).to_pylist() for name in ("updated_at", "read_at"))
    newest: dict[str, int] = {}
    for place, order_id in enumerate(ids):
        before = newest.get(order_id)
        if before is None or not is_outdated(changed[place], changed[before], read[place]):
            newest[order_id] = place
    return rows.take(pa.array(sorted(newest.values()), pa.int64()))
