"""Single values as the API serves them, turned into what a column holds. Pure functions."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa

from sources.signalwire.records.decoding import Digits
from sources.signalwire.records.schema import ARROW, TIMESTAMP, Kind

_BEYOND_MICROSECONDS = re.compile(r"(\.\d{6})\d+")
_HAS_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d|[+-]\d\d)$", re.IGNORECASE)
_HAS_TIME = re.compile(r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d", re.IGNORECASE)


# an hour: the clocks of one service's servers, and of this machine, are not set alike
CLOCK_TOLERANCE = 3_600_000_000


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of an aware moment, exactly."""
    epoch = datetime.fromtimestamp(0, tz=moment.tzinfo)
    return (moment - epoch) // timedelta(microseconds=1)


def is_ahead(moment: int, now: int) -> bool:
    """Whether a moment has not come yet, by more than clocks differ that are right."""
    return moment > now + CLOCK_TOLERANCE


class Unreadable(ValueError):
    """A value that does not fit its column's type; the text says what was expected."""


def columns_of(
    kinds: Mapping[str, Kind], fields: Mapping[str, Sequence[Any]]
) -> tuple[dict[str, pa.Array], dict[str, dict[int, str]]]:
    """Columns of some fields, and for each column why values at which positions are null.

    Null stands for a value that is unreadable.
    """
    columns: dict[str, pa.Array] = {}
    unreadable: dict[str, dict[int, str]] = {}
    times: dict[str, pa.Array] = {}
    for name, kind in kinds.items():
        try:
            # the usual case, all values fine, is left to Arrow
            (times if kind == "timestamp" else columns)[name] = _at_once(kind, fields[name])
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            columns[name], unreadable[name] = _one_by_one(kind, fields[name])
    try:
        # in one step, because Arrow releases the GIL in each and waits to get it back
        read = pa.StructArray.from_arrays(list(times.values()), list(times)).cast(
            pa.struct([(name, TIMESTAMP) for name in times])
        )
        columns |= {name: read.field(name) for name in times}
    except (pa.ArrowException, ValueError):
        for name in times:
            columns[name], unreadable[name] = _one_by_one("timestamp", fields[name])
    return columns, unreadable


def as_json(value: Any) -> str:
    """A value as compact JSON, with keys in order, so that equal values give equal text."""
    try:
        return msgspec.json.encode(value, enc_hook=_as_served, order="sorted").decode()
    except (TypeError, ValueError, RecursionError):
        # half a character, or nested very deeply
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)


def _as_served(value: Any) -> msgspec.Raw:
    if isinstance(value, Digits):
        return msgspec.Raw(value.text.encode())
    raise TypeError(type(value).__name__)


def as_text(value: Any) -> str:
    """A value for a text column: strings as they are, everything else as JSON."""
    return value if isinstance(value, str) else as_json(value)


def as_timestamp(value: Any) -> pa.Scalar:
    """An instant (UTC, microseconds) from ISO 8601 text; digits beyond microseconds are dropped.

    Text without an offset is UTC, as the API documents all its times.

    Raises:
        Unreadable: for anything that is not a date with a time.
    """
    try:
        text = _BEYOND_MICROSECONDS.sub(r"\1", value.strip()).upper()
        if _HAS_TIME.match(text):
            return pa.scalar(text if _HAS_ZONE.search(text) else f"{text}Z").cast(TIMESTAMP)
    except (pa.ArrowException, AttributeError, ValueError):
        pass
    raise Unreadable("not a UTC timestamp in ISO 8601 form")


def as_bool(value: Any) -> bool:
    """A truth value, also where it comes as text.

    Raises:
        Unreadable: for anything but true and false.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise Unreadable("neither true nor false")


def as_bigint(value: Any) -> int:
    """A whole number of 64 bits, also where it comes as text.

    Raises:
        Unreadable: for anything else.
    """
    number = as_double(value)
    try:
        exact = int(_digits(value))
    except ValueError:
        exact = int(number)
        if exact != number:
            raise Unreadable("no whole number") from None
    if not -(2**63) <= exact < 2**63:
        raise Unreadable("a number of more than 64 bits")
    return exact


def as_double(value: Any) -> float:
    """A finite number, also where it comes as text.

    Raises:
        Unreadable: for anything else.
    """
    try:
        number = math.nan if isinstance(value, bool) else float(_digits(value))
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise Unreadable("no number")
    return number


def _digits(value: Any) -> Any:
    return value.text if isinstance(value, Digits) else value


_SINGLE: dict[Kind, Callable[[Any], Any]] = {
    "text": as_text,
    "timestamp": as_timestamp,
    "bool": as_bool,
    "bigint": as_bigint,
    "double": as_double,
    "json": as_json,
}
# what the JSON has where it is not the column's own type
_SERVED_AS: dict[Kind, pa.DataType] = {"timestamp": pa.string()}


def _at_once(kind: Kind, values: Sequence[Any]) -> pa.Array:
    """A column as it is served: times are still text."""
    if kind == "json":
        values = [None if value is None else as_json(value) for value in values]
    return pa.array(values, _SERVED_AS.get(kind, ARROW[kind]))


def _one_by_one(kind: Kind, values: Sequence[Any]) -> tuple[pa.Array, dict[int, str]]:
    converted: list[Any] = []
    unreadable: dict[int, str] = {}
    for position, value in enumerate(values):
        try:
            converted.append(None if value is None else _SINGLE[kind](value))
        except Unreadable as error:
            converted.append(None)
            unreadable[position] = str(error)
    return pa.array(converted, ARROW[kind]), unreadable
