"""Rows of a report compared with DuckDB's, whatever types an engine returns them in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any

Row = Sequence[Any]


def plain(value: Any, kind: str) -> Any:
    """A value as DuckDB has it in a column of a kind."""
    if isinstance(value, bytes):
        value = value.decode()
    if isinstance(value, float) and math.isnan(value):
        return None
    if value is None:
        return None
    if kind == "BOOLEAN":
        return bool(value)
    if kind == "DOUBLE":
        return float(value)
    if kind.startswith("TIMESTAMP") and isinstance(value, int):
        value = datetime.fromtimestamp(value, timezone.utc)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return int(value) if isinstance(value, Decimal) else value


def assert_same(
    report: str, columns: dict[str, str], got: Sequence[Row], want: Sequence[Row]
) -> None:
    """Fails where a number differs by more than the order of additions explains."""
    kinds = [*columns.values()]

    def ordered(rows: Sequence[Row]) -> list[list[Any]]:
        made = [[plain(v, kind) for v, kind in zip(row, kinds, strict=True)] for row in rows]
        return sorted(
            made, key=lambda row: repr([round(v, 5) if isinstance(v, float) else v for v in row])
        )

    assert len(got) == len(want), report
    for one, other in zip(ordered(got), ordered(want), strict=True):
        for name, a, b in zip(columns, one, other, strict=True):
            if isinstance(a, float) and isinstance(b, float):
                assert math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9), f"{report}.{name}"
            else:
                assert a == b, f"{report}.{name}"
