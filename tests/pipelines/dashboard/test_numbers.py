"""The dashboard's numbers: how orders are packed, and how values are written."""

from __future__ import annotations

import math
import struct
from itertools import pairwise

import pyarrow as pa
import pytest

from pipelines.dashboard import packing
from pipelines.dashboard.formats import NONE, hours, percent
from pipelines.dashboard.packing import NO_CELL, NO_DAY, ORDER_SCHEMA, borders, pack

UPPER = borders([1, 24.0])


def packed(*orders: dict[str, object]) -> packing.Packed:
    """What is packed of orders, where each says only what is unusual of it."""
    usual = {"campaign_id": "a", "created_day": 20_000, "days_open": 0, "status": "processed",
             "hours": 2.0, "stuck": False, "late": False}  # fmt: skip
    table = pa.Table.from_pylist([usual | order for order in orders], ORDER_SCHEMA)
    return pack([table], {"a": 0, "b": 1}, UPPER)


def unpacked(found: packing.Packed) -> list[tuple[int, ...]]:
    """Days of creation, days open, codes."""
    values = struct.unpack(f"<{3 * found.orders}H", found.content)
    return [values[n * found.orders : (n + 1) * found.orders] for n in range(3)]


class TestPacking:
    """The orders as the page carries them."""

    def test_what_is_not_known_has_numbers_of_its_own(self) -> None:
        found = packed(
            {},
            {"days_open": None, "hours": None, "status": "open", "stuck": True},
            {"created_day": None, "days_open": None},
        )
        created, days_open, codes = unpacked(found)
        assert (found.first_day, found.since, found.starts) == (20_000, None, [0, 3, 3])
        assert (created, days_open) == ((0, 0, NO_DAY), (0, NO_DAY, NO_DAY))
        assert (codes[1] & NO_CELL, codes[1] >> 12 & 3, codes[1] >> 14) == (NO_CELL, 1, 1)

    def test_cells_are_narrow_and_end_where_something_is_counted(self) -> None:
        assert len(UPPER) < NO_CELL
        assert max(high / low for low, high in pairwise(UPPER)) < 1.01

        def cell(value: float) -> int:
            (_, _, (code,)) = unpacked(packed({"hours": value}))
            return code & NO_CELL

        # within a target up to it, in an age of the backlog from it on
        assert cell(24.0) < cell(math.nextafter(24.0, 99))
        assert cell(math.nextafter(4.0, 0)) < cell(4.0)
        assert (cell(0.0), cell(1e9)) == (0, len(UPPER) - 1)

    def test_too_many_orders_leave_the_oldest_out(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packing, "MOST_ORDERS", 3)
        found = packed(*({"created_day": 20_000 + n} for n in range(5)), {"created_day": None})
        created, _, _ = unpacked(found)
        assert (found.since, found.first_day, found.starts) == (20_002, 20_002, [0, 3, 3])
        assert created == (0, 1, 2)
        # of the newest day all are carried
        assert packed(*[{}] * 5).orders == 5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, NONE), (0.0, "0 min"), (0.001, "under 1 min"), (0.7, "42 min"), (0.999, "1 h"),
        (3.42, "3.4 h"), (24.0, "24 h"), (48.0, "48 h"), (50.4, "2.1 d"), (48000.0, "2,000 d"),
    ],
)  # fmt: skip
def test_hours_are_readable(value: float | None, text: str) -> None:
    assert hours(value).replace("\N{NO-BREAK SPACE}", " ") == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, NONE), (0.0, "0 %"), (0.0004, "under 0.1 %"), (0.876, "87.6 %"),
        (0.9996, "over 99.9 %"), (1.0, "100 %"),
    ],
)  # fmt: skip
def test_a_share_is_never_rounded_to_none_or_all(share: float | None, text: str) -> None:
    assert percent(share).replace("\N{NO-BREAK SPACE}", " ") == text
