"""JSON bodies as the API serves them, and what in them no destination can take. Pure functions.

A page of orders as documented holds only text, so it is decoded by type, in 60 % of the time, and
not checked further. Everything else goes the general way, and makes the same records.
Fractions are kept digit by digit. Bodies that msgspec refuses (NaN, half a character, a byte order
mark) are read by the standard library, which is slower and takes more.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Any

import msgspec

from sources.signalwire.records.schema import ORDERS

# characters that a text may not hold in PostgreSQL, or in UTF-8 at all
_BAD = re.compile("[\0\ud800-\udfff]")
# of a documented order: it has each of them, as text or null, and no other
_ORDER_FIELDS = ("id", *(field.name for field in ORDERS.fields))
_ORDER: Any = msgspec.defstruct(
    "_Order",
    [(name, str | None) for name in _ORDER_FIELDS],
    forbid_unknown_fields=True,
    gc=False,
)
_ORDERS_PAGE: Any = msgspec.defstruct(
    "_OrdersPage",
    [("links", dict[str, str | None]), ("data", list[_ORDER])],
    forbid_unknown_fields=True,
)
_DECODE_ORDERS = msgspec.json.Decoder(_ORDERS_PAGE).decode
# the one whole number that msgspec changes, to 0
_MINUS_ZERO = re.compile(rb"-0[,}\]\s]")


class Digits:
    """A number as it was served, digit by digit."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Digits) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


class NoNumber(Digits):
    """What stands for a number and is none that can be stored: NaN, Infinity, 1e400."""

    __slots__ = ()


class Mended(dict[str, Any]):
    """A record without what cannot be stored; `served` is as it came, `faults` what was wrong."""

    served: dict[str, Any]
    faults: list[str]


@dataclass(frozen=True)
class Records(Sequence[dict[str, Any]]):
    """The records of a page that have the same fields, as columns of the values served.

    Made in the thread that decodes them: another one would have to fetch each of them again from
    memory, which takes longer than to decode it. `have_ids` says that all have a usable id.
    """

    columns: dict[str, list[Any]]
    length: int
    have_ids: bool

    @classmethod
    def of(cls, records: list[Any]) -> Sequence[Any]:
        """The records in columns; as they are if their fields differ or one is no object."""
        same_length = set(map(type, records)) == {dict} and len(set(map(len, records))) == 1
        if not same_length or not records[0]:
            return records
        try:
            columns = {name: list(map(itemgetter(name), records)) for name in records[0]}
        except KeyError:
            return records
        return cls.in_columns(columns, len(records))

    @classmethod
    def in_columns(cls, columns: dict[str, list[Any]], length: int) -> Records:
        """So many records whose fields are columns already."""
        ids = columns.get("id", [None])
        have_ids = set(map(type, ids)) == {str} and all(map(str.strip, ids))
        return cls(columns, length, have_ids)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, position: Any) -> Any:
        return {name: values[position] for name, values in self.columns.items()}


def decoded(body: bytes) -> Any:
    """A body's JSON, with each record in it that cannot be stored as it is as a `Mended`.

    Raises:
        ValueError: it is no JSON.
    """
    # a single byte is found faster than two
    has_nul = b"\\" in body and b"\\u0000" in body
    if not has_nul and (page := _orders_page(body)) is not None:
        return page
    numbers = _Numbers()
    try:
        payload = msgspec.json.Decoder(float_hook=numbers).decode(body)
        if _MINUS_ZERO.search(body):
            payload = _patiently(body)
        elif not numbers.unusable and not has_nul:
            return payload
    except (msgspec.DecodeError, RecursionError):
        payload = _patiently(body)
    if not isinstance(payload, dict):
        return _without_bad(payload, [])
    if isinstance(payload.get("data"), list):
        records = [_mended(record) for record in payload["data"]]
        return _without_bad({**payload, "data": None}, []) | {"data": records}
    return _mended(payload)


def clean(text: str) -> str:
    """A text without NUL, and with U+FFFD for what is no character."""
    return _BAD.sub(lambda found: "" if found.group() == "\0" else "\ufffd", text)


def _orders_page(body: bytes) -> dict[str, Any] | None:
    """A page of orders; None if anything in it is not as documented."""
    try:
        page = _DECODE_ORDERS(body)
    except (msgspec.DecodeError, RecursionError):
        return None
    columns = {name: list(map(attrgetter(name), page.data)) for name in _ORDER_FIELDS}
    records = Records.in_columns(columns, len(page.data)) if page.data else []
    return {"links": page.links, "data": records}


def _patiently(body: bytes) -> Any:
    text = body.removeprefix(codecs.BOM_UTF8).decode(errors="surrogateescape")
    try:
        return json.loads(text, parse_float=_Numbers(), parse_int=_integer, parse_constant=NoNumber)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _integer(text: str) -> int | Digits:
    return Digits(text) if text == "-0" else int(text)


class _Numbers:
    """Makes `Digits` of the text of a fraction, and notes whether any cannot be stored."""

    def __init__(self) -> None:
        self.unusable = False

    def __call__(self, text: str) -> Digits:
        if math.isfinite(float(text)):
            return Digits(text)
        self.unusable = True
        return NoNumber(text)


def _mended(record: Any) -> Any:
    if not isinstance(record, dict):
        return record
    faults: list[str] = []
    fields = _fields(record, faults, lambda name: f"{name} ")
    if not faults:
        return record
    mended = Mended(fields)
    mended.served, mended.faults = record, list(dict.fromkeys(faults))
    return mended


def _fields(
    record: dict[str, Any], faults: list[str], prefix: Callable[[str], str]
) -> dict[str, Any]:
    """The fields, cleaned; of two names that become one the one that was clean counts."""
    fields: dict[str, Any] = {}
    for name, value in record.items():
        here: list[str] = []
        key, value = _without_bad(name, here), _without_bad(value, here)
        faults += [prefix(key) + fault for fault in here]
        if key == name or key not in record:
            fields[key] = value
    return fields


def _without_bad(value: Any, faults: list[str]) -> Any:
    """The value without what cannot be stored, which is added to `faults`."""
    if isinstance(value, str):
        cleaned = clean(value)
        if cleaned != value:
            faults.append("holds a character that cannot be stored")
        return cleaned
    if isinstance(value, NoNumber):
        faults.append("is no number that can be stored")
        return None
    if isinstance(value, list):
        return [_without_bad(item, faults) for item in value]
    if isinstance(value, dict):
        return _fields(value, faults, lambda _: "")
    return value
