"""Records that cannot be loaded as they are, as rows of the table `rejected`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.records.batch import Origin
from sources.signalwire.records.schema import REJECTED, TABLES
from sources.signalwire.records.values import as_json


class Reject(NamedTuple):
    """A record that cannot be loaded as it is; `record_id` is None when it has no usable id."""

    table: str
    origin: Origin
    record_id: str | None
    record: Any
    reason: str


def rejected_rows(rejects: Sequence[Reject], run_id: str, *, include_sensitive: bool) -> pa.Table:
    """The rows of `rejected`; sensitive fields are left out of the records unless asked for."""
    rows = [_row(reject, run_id, include_sensitive) for reject in rejects]
    return pa.Table.from_pylist(rows, schema=REJECTED.arrow_schema())


def _row(reject: Reject, run_id: str, include_sensitive: bool) -> dict[str, Any]:
    record = reject.record
    if isinstance(record, dict) and not include_sensitive:
        hidden = {column.name for column in TABLES[reject.table].fields if column.sensitive}
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
