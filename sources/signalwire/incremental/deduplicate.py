"""Orders that a list had twice, because it was begun again. Pure functions."""

from __future__ import annotations

import pyarrow as pa

from sources.signalwire.incremental.cursor import is_outdated


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
