"""The pure parts, without a server: which space, which value, which cursor, which column."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources.signalwire.crawl.comparison import Comparison
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.http.base_url import base_url
from sources.signalwire.incremental.cursor import (
    LATE_COMMIT_MARGIN,
    MAX_RECENT,
    Cursor,
    CursorMove,
    is_outdated,
)
from sources.signalwire.incremental.depth import (
    in_order,
    is_full_walk_due,
    may_stop,
    pages_to_read,
    states_to_list,
)
from sources.signalwire.incremental.existing import KnownData, Unsettled
from sources.signalwire.options import Options
from sources.signalwire.records.batch import OrderBatch, Origin
from sources.signalwire.records.buffers import RowBuffer, compacted
from sources.signalwire.records.column_names import column_names
from sources.signalwire.records.schema import ORDERS, TIMESTAMP
from sources.signalwire.records.values import microseconds
from sources.signalwire.settings import MAX_BATCH_BYTES

NOW = datetime(2026, 3, 2, 12, tzinfo=timezone.utc)


class TestSpace:
    """Which server a setting means."""

    @pytest.mark.parametrize(
        ("space", "url"),
        [
            ("acme", "https://acme.signalwire.com"),
            (" Acme-2 ", "https://acme-2.signalwire.com"),
            ("acme.signalwire.com", "https://acme.signalwire.com"),
            ("https://acme.signalwire.com/", "https://acme.signalwire.com"),
            ("https://acme.signalwire.com/api/relay/rest", "https://acme.signalwire.com"),
            ("https://gateway.example:8443", "https://gateway.example:8443"),
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:80", "http://[::1]:80"),
        ],
    )
    def test_is_understood(self, space: str, url: str) -> None:
        assert base_url(space) == url

    @pytest.mark.parametrize(
        "space",
        [
            "http://acme.signalwire.com",
            "http://128.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "ftp://acme.signalwire.com",
            "acme.example.com",
            "https://",
            "https://acme.signalwire.com/other",
            "https://acme.signalwire.com?x=1",
            "https://user@acme.signalwire.com",
            "https://acme.signalwire.com\\@evil.example",
            "https://evil.example\\.signalwire.com",
            "evil.example/.signalwire.com",
            "acme signalwire",
            "",
        ],
    )
    def test_is_refused(self, space: str) -> None:
        with pytest.raises(ConfigurationError, match="space"):
            base_url(space)


def at(moment: datetime) -> int:
    return microseconds(moment)


class Version(NamedTuple):
    """One order as read."""

    updated_at: int | None
    created_at: int | None
    record: dict[str, Any]


def version(
    moment: datetime | None, created: datetime = NOW - timedelta(days=9), **fields: Any
) -> Version:
    changed = None if moment is None else at(moment)
    return Version(changed, at(created), {"id": "o", **fields})


def walk(
    cursor: Cursor | None, *versions: Version, now: datetime | None = NOW, full: bool = False
) -> Any:
    """Positions that are new, and the cursor after a walk that began at `now`."""
    move = CursorMove(cursor, "brand")
    updated, created, records = (list(column) for column in zip(*versions, strict=True))
    names = sorted(set().union(*records))
    times = {"updated_at": updated, "created_at": created}
    rows = pa.table(
        {name: [record.get(name) for record in records] for name in names}
        | {name: pa.array(moments, pa.int64()).cast(TIMESTAMP) for name, moments in times.items()}
    )
    batch = OrderBatch([record["id"] for record in records], updated, created, rows)
    return move.read(batch, None if now is None else at(now)), move.end(full=full)


class TestCursor:
    """How far a campaign has been loaded."""

    old = version(NOW - timedelta(days=2))
    older = version(NOW - timedelta(days=3))
    fresh = version(NOW - timedelta(seconds=1), state="pending")

    def test_a_first_walk_takes_all_and_stands_at_the_newest(self) -> None:
        new, cursor = walk(None, self.old, self.older, full=True)
        assert new == [0, 1]
        created = at(NOW - timedelta(days=9))
        assert cursor == Cursor(self.old.updated_at or 0, "brand", created, at(NOW))

    def test_it_stays_behind_the_beginning_of_the_walk(self) -> None:
        _, cursor = walk(None, self.fresh, self.old)
        assert cursor.watermark == at(NOW) - LATE_COMMIT_MARGIN
        assert len(cursor.recent) == 1

    def test_it_stays_behind_timestamps_in_the_future(self) -> None:
        future = NOW + timedelta(days=9999)
        _, cursor = walk(None, version(future, created=future))
        limit = at(NOW) - LATE_COMMIT_MARGIN
        assert (cursor.watermark, cursor.created_watermark) == (limit, limit)

    def test_nothing_new_leaves_it_as_it_is(self) -> None:
        _, cursor = walk(None, self.fresh, self.old)
        new, after = walk(cursor, self.fresh, self.old, now=NOW + timedelta(days=1))
        assert new == []
        assert after is cursor

    def test_a_full_walk_is_written_down_also_without_news(self) -> None:
        later = NOW + timedelta(days=1)
        _, cursor = walk(None, self.old)
        _, after = walk(cursor, self.old, now=later, full=True)
        assert after == cursor._replace(full_walk_at=at(later))

    def test_changed_content_at_the_same_moment_is_new(self) -> None:
        _, cursor = walk(None, self.fresh)
        changed = self.fresh._replace(record={"id": "o", "state": "failed"})
        assert walk(cursor, changed)[0] == [0]

    def test_without_updated_at_always_new(self) -> None:
        _, cursor = walk(None, version(None), self.old)
        assert walk(cursor, version(None), self.old)[0] == [0]

    def test_another_brand_begins_anew(self) -> None:
        assert walk(Cursor(at(NOW), "another brand"), self.old)[0] == [0]

    def test_without_the_servers_clock_it_does_not_move(self) -> None:
        new, cursor = walk(None, self.old, now=None)
        assert (new, cursor) == ([0], None)

    def test_only_so_many_recent_versions_are_remembered(self) -> None:
        many = [version(NOW, n=n) for n in range(MAX_RECENT + 1)]
        _, cursor = walk(None, *many)
        assert cursor.recent == frozenset()
        assert len(walk(cursor, *many)[0]) == len(many)


@pytest.mark.parametrize(
    ("updated_at", "by", "outdated"),
    [
        (1, 2, True),
        (2, 2, False),
        (3, 2, False),
        (None, 2, False),
        (1, None, False),
        (1, 99, False),
    ],
    ids=["older", "same", "newer", "unknown", "other-unknown", "other-in-the-future"],
)
def test_what_is_outdated(updated_at: int | None, by: int | None, outdated: bool) -> None:
    assert is_outdated(updated_at, by, now=10) is outdated


def unsettled(*places: int, state: str | None = "pending", in_state: int = 9_999) -> Any:
    return tuple(Unsettled(f"o{n}", state, n, in_state) for n in places)


class TestWalk:
    """How far a campaign is read."""

    @pytest.mark.parametrize(
        ("orders", "pages"),
        [
            ((), 1),
            (unsettled(5, 90), 1),
            (unsettled(150), 2),
            (unsettled(250), 1),  # one by its id is cheaper than two more pages
            (unsettled(250, 251), 3),  # two by their ids are not cheaper: pages tell more
            (unsettled(150, 9_000), 2),
            (unsettled(*range(1, 1_000)), 10),
            (unsettled(*range(150, 350), state="failed", in_state=350), 4),
            (unsettled(*range(500, 700), state="failed", in_state=120), 1),  # through its list
            (unsettled(*range(4_500, 4_700), state="failed", in_state=120), 1),
            (unsettled(*range(500, 700), state=None), 7),
        ],
        ids=lambda value: str(value)[:40],
    )
    def test_for_the_fewest_requests(self, orders: Any, pages: int) -> None:
        assert pages_to_read(orders, page_size=100) == pages

    def test_a_states_list_where_it_is_cheaper_than_single_orders(self) -> None:
        many = unsettled(*range(500, 520), state="failed", in_state=180)
        few = unsettled(700, state="pending", in_state=3)
        stateless = unsettled(*range(800, 830), state=None)
        assert states_to_list((*many, *few, *stateless), page_size=100) == {"failed": 2}

    @pytest.mark.parametrize(
        ("created", "before", "ordered"),
        [
            ([3, 2, 2, 1], None, True),
            ([3, 2], 3, True),
            ([4], 3, False),
            ([1, 2], None, False),
            ([2, None, 1], None, False),
            ([], 3, True),
        ],
    )
    def test_whether_it_is_in_order(
        self, created: list[int | None], before: int | None, ordered: bool
    ) -> None:
        assert in_order(created, before) is ordered

    @pytest.mark.parametrize(
        ("read", "planned", "oldest", "watermark", "stop"),
        [
            (1, 1, 5, 6, True),
            (1, 2, 5, 6, False),
            (1, 1, 6, 6, False),  # more orders may have been created at that very moment
            (1, 1, 5, None, False),
            (1, 1, None, 6, False),
        ],
    )
    def test_whether_it_may_stop(
        self, read: int, planned: int, oldest: int | None, watermark: int | None, stop: bool
    ) -> None:
        assert may_stop(read, planned, oldest, watermark) is stop

    @pytest.mark.parametrize(
        ("last", "now", "due"),
        [(None, 5, True), (0, 10, True), (1, 10, False), (1, None, True)],
    )
    def test_whether_a_full_walk_is_due(self, last: int | None, now: int | None, due: bool) -> None:
        assert is_full_walk_due(last, now, every=10) is due


class TestColumnNames:
    """Columns for fields nobody knew."""

    @pytest.mark.parametrize(
        ("field", "name"),
        [
            ("carrier", "carrier"),
            ("foo_bar", "foo_bar"),
            ("id", "api_id"),
            ("_dlt_id", "api_dlt_id"),
            ("ctid", "api_ctid"),
            ("rowid", "api_rowid"),
        ],
    )
    def test_tell_the_field(self, field: str, name: str) -> None:
        assert column_names([field], frozenset({"id", "state"})) == {field: name}

    @pytest.mark.parametrize("field", ["fooBar", "ID", "", " ", "foo-bar", "a" * 110, "api_id"])
    def test_have_a_digest_where_several_fields_would_share_one(self, field: str) -> None:
        (name,) = column_names([field], frozenset({"id", "state"})).values()
        assert re.search("_x[0-9a-f]{8}$", name)
        assert len(name) <= 63

    @given(st.sets(st.text(max_size=9), max_size=6))
    def test_never_depend_on_the_other_fields(self, fields: set[str]) -> None:
        taken = frozenset({"id", "state"})
        together = column_names(fields, taken)
        assert together == {field: column_names([field], taken)[field] for field in fields}
        assert len({*together.values()} | taken) == len(fields) + len(taken)


class TestRowsOfOtherPages:
    """Rows are slices of all that was decoded together, which must not pile up in memory."""

    @staticmethod
    def slices(count: int) -> Iterator[pa.Table]:
        """So many rows, each of a megabyte of others."""
        for n in range(count):
            yield pa.table({"id": [f"{n}", "x" * 1_000_000]}).slice(0, 1)

    def test_are_let_go_when_they_become_many(self) -> None:
        before = pa.total_allocated_bytes()
        buffer = RowBuffer()
        for rows in self.slices(100):
            assert list(buffer.add("orders", rows)) == []
            assert pa.total_allocated_bytes() - before < MAX_BATCH_BYTES + 5_000_000
        (batch,) = buffer.rest()
        assert batch.rows["id"].to_pylist() == [f"{n}" for n in range(100)]

    def test_are_not_in_a_copy(self) -> None:
        before = pa.total_allocated_bytes()
        copies = [compacted(rows) for rows in self.slices(10)]
        assert pa.total_allocated_bytes() - before < 100_000
        assert [rows["id"].to_pylist() for rows in copies] == [[f"{n}"] for n in range(10)]

    def test_are_let_go_by_what_waits_to_be_compared(self) -> None:
        comparison = Comparison(ORDERS, KnownData(), lambda _: None, lambda *_: None)
        before = pa.total_allocated_bytes()
        for rows in self.slices(10):
            comparison.add(Origin("/"), rows)
        del rows
        assert pa.total_allocated_bytes() - before < 100_000
        assert len(comparison._waiting[Origin("/")]) == 10

    def test_may_come_after_an_empty_part(self) -> None:
        buffer = RowBuffer()
        rows = pa.table({"id": pa.chunked_array([pa.array([], pa.string()), pa.array(["a"])])})
        assert list(buffer.add("orders", rows)) == []
        assert [batch.rows["id"].to_pylist() for batch in buffer.rest()] == [["a"]]

    def test_of_the_same_page_count_once(self) -> None:
        buffer = RowBuffer()
        page = pa.table({"id": [f"{n}" * 100_000 for n in range(10)]})
        for n in range(200):
            assert list(buffer.add("orders", page.slice(n % 10, 1))) == []
        assert len(buffer._parts["orders"]) == 200


def test_nothing_narrowed_is_told_as_such() -> None:
    assert Options().narrowing is None
    assert Options(brand_ids=("b",)).narrowing == {"brands": ["b"]}
