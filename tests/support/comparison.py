"""Rows of reports from different sources, made comparable."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import date, datetime, timezone
from typing import Any


def comparable(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in an order that does not hang on the last digits, values as plain as can be."""
    plain = [{name: _value(value) for name, value in sorted(row.items())} for row in rows]
    return sorted(plain, key=lambda row: [_rounded(value) for value in row.values()])


def _value(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, (bool, str)) else float(value)


def _rounded(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else repr(value)


def same(got: Any, want: Any) -> bool:
    """Equal, or numbers that differ in their last digits alone."""
    if isinstance(got, float) and isinstance(want, float):
        return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9)
    return bool(got == want)
