"""The pure parts, without a server: which space, which value, which cursor, which column."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from pipelines.tables import render
from sources.signalwire.cursor import (
    LATE_COMMIT_MARGIN,
    MAX_RECENT,
    Cursor,
    Reading,
    Version,
    dump_cursors,
    load_cursors,
    microseconds,
)
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records import column_names
from sources.signalwire.selection import Selection
from sources.signalwire.space import base_url
from sources.signalwire.workers import Workers

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


def version(moment: datetime | None, **fields: Any) -> Version:
    return Version(None if moment is None else microseconds(moment), {"id": "o", **fields})


def walk(cursor: Cursor | None, *versions: Version, at: datetime | None = NOW) -> Any:
    """Positions that are new, and the cursor after a walk at `at`."""
    reading = Reading(cursor, "brand")
    reading.begin(at)
    return list(reading.new_ones(versions)), reading.end()


class TestCursor:
    """How far a campaign has been loaded."""

    old = version(NOW - timedelta(days=2))
    older = version(NOW - timedelta(days=3))
    fresh = version(NOW - timedelta(seconds=1), state="pending")

    def test_a_first_walk_takes_all_and_stands_at_the_newest(self) -> None:
        new, cursor = walk(None, self.old, self.older)
        assert new == [0, 1]
        assert cursor == Cursor(self.old.updated_at, "brand")

    def test_it_stays_behind_the_beginning_of_the_walk(self) -> None:
        _, cursor = walk(None, self.fresh, self.old)
        assert cursor.watermark == microseconds(NOW - LATE_COMMIT_MARGIN)
        assert len(cursor.recent) == 1

    def test_it_stays_behind_a_future_timestamp(self) -> None:
        _, cursor = walk(None, version(NOW + timedelta(days=9999)))
        assert cursor.watermark == microseconds(NOW - LATE_COMMIT_MARGIN)

    def test_nothing_new_leaves_it_as_it_is(self) -> None:
        _, cursor = walk(None, self.fresh, self.old)
        new, after = walk(cursor, self.fresh, self.old, at=NOW + timedelta(days=1))
        assert new == []
        assert after is cursor

    def test_changed_content_at_the_same_moment_is_new(self) -> None:
        _, cursor = walk(None, self.fresh)
        changed = Version(self.fresh.updated_at, {"id": "o", "state": "failed"})
        assert walk(cursor, changed)[0] == [0]

    def test_without_updated_at_always_new(self) -> None:
        _, cursor = walk(None, version(None), self.old)
        assert walk(cursor, version(None), self.old)[0] == [0]

    def test_another_brand_begins_anew(self) -> None:
        assert walk(Cursor(microseconds(NOW), "another brand"), self.old)[0] == [0]

    def test_without_the_servers_clock_it_does_not_move(self) -> None:
        new, cursor = walk(None, self.old, at=None)
        assert (new, cursor) == ([0], None)

    def test_only_so_many_recent_versions_are_remembered(self) -> None:
        many = [version(NOW, n=n) for n in range(MAX_RECENT + 1)]
        _, cursor = walk(None, *many)
        assert cursor.recent == frozenset()
        assert len(walk(cursor, *many)[0]) == len(many)

    def test_state_goes_there_and_back(self) -> None:
        _, cursor = walk(None, self.fresh, self.old)
        state: dict[str, Any] = {}
        dump_cursors({"campaign": cursor}, state)
        assert load_cursors(state) == {"campaign": cursor}

    @pytest.mark.parametrize(
        "state",
        [
            {},
            {"version": 0, "cursors": {"c": [1, "b", ""]}},
            {"version": 1, "cursors": None},
            {"version": 1, "cursors": ["c"]},
            {"version": 1, "cursors": {"c": None}},
            {"version": 1, "cursors": {"c": [1, "b"]}},
            {"version": 1, "cursors": {"c": ["1", "b", ""]}},
            {"version": 1, "cursors": {"c": [1, "b", "short"]}},
        ],
        ids=str,
    )
    def test_damaged_state_means_a_full_walk(self, state: dict[str, Any]) -> None:
        assert load_cursors(state) == {}


class TestColumnNames:
    """Columns for fields nobody knew."""

    @pytest.mark.parametrize(
        ("fields", "names"),
        [
            (["carrier"], {"carrier": "carrier"}),
            (["fooBar"], {"fooBar": "foo_bar"}),
            (["fooBar", "foo_bar"], {"foo_bar": "foo_bar", "fooBar": "api_foo_bar"}),
            (["ID"], {"ID": "api_id"}),
            (["_dlt_id"], {"_dlt_id": "api_dlt_id"}),
            ([""], {"": "unnamed"}),
        ],
        ids=str,
    )
    def test_never_collide(self, fields: list[str], names: dict[str, str]) -> None:
        assert column_names(fields, frozenset({"id", "state"})) == names


class TestWorkers:
    """Tasks side by side."""

    def test_tasks_may_lead_to_further_tasks(self) -> None:
        workers: Workers[int] = Workers(3)

        def countdown(n: int) -> Iterator[int]:
            yield n

        workers.submit(lambda: countdown(20))
        seen = []
        for n in workers:
            seen.append(n)
            if n:
                workers.submit(lambda n=n: countdown(n - 1))
        workers.close()
        assert seen == list(range(20, -1, -1))

    def test_they_do_not_run_ahead_of_the_consumer(self) -> None:
        made = 0
        lock = threading.Lock()

        def produce() -> Iterator[int]:
            nonlocal made
            for n in range(1000):
                with lock:
                    made += 1
                yield n

        workers: Workers[int] = Workers(2)
        for _ in range(2):
            workers.submit(produce)
        results = iter(workers)
        next(results)
        # queued at most: twice the workers, one in each hand, and the one taken
        assert made <= 2 * 2 + 2 + 1 + 1
        assert sum(1 for _ in results) == 1999
        workers.close()

    def test_an_error_reaches_the_consumer_and_closing_ends_the_threads(self) -> None:
        def fail() -> Iterator[int]:
            yield 1
            raise ValueError("broken")

        workers: Workers[int] = Workers(4)
        workers.submit(fail)
        with pytest.raises(ValueError, match="broken"):
            list(workers)
        workers.close()
        for thread in workers._threads:
            thread.join(5)
            assert not thread.is_alive()


def test_nothing_narrowed_is_told_as_such() -> None:
    assert Selection().narrowing is None
    assert Selection(brand_ids=("b",)).narrowing == {"brands": ["b"]}


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([], "name  n"),
        ([("a", 1), ("bb", 20)], "name   n\na      1\nbb    20"),
        ([("[red]x", None)], "name    n\n[red]x  -"),
    ],
)
def test_query_results_as_a_table(rows: list[tuple[Any, ...]], text: str) -> None:
    assert render(["name", "n"], rows) == text
