from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import requests

from sources.simulator import Fault, SimulatedSpace

if TYPE_CHECKING:
    from conftest import Api

BRANDS = "/api/relay/rest/registry/beta/brands"


def test_it_tells_what_was_asked(api: Api, space: SimulatedSpace) -> None:
    api.get("/brands", page_size=3, filter_name="A b")
    space.clock.advance(60)
    api.get("/nowhere")
    first, second = space.journal.entries()
    assert first._replace(duration=0) == (
        "GET", BRANDS, "page_size=3&filter_name=A+b", 200,
        datetime(2024, 7, 29, 12, 0, tzinfo=timezone.utc), 0, True, True, None,
    )  # fmt: skip
    assert first.path_qs == f"{BRANDS}?page_size=3&filter_name=A+b"
    assert (second.status, second.query) == (404, "")
    assert second.time == datetime(2024, 7, 29, 12, 1, tzinfo=timezone.utc)


def test_it_tells_who_had_credentials_and_keeps_none(api: Api, space: SimulatedSpace) -> None:
    api.get("/brands")
    api.session.auth = ("someone", "PTsecret")
    api.get("/brands")
    api.session.auth = None
    api.get("/brands")
    entries = space.journal.entries()
    seen = [(entry.authorized, entry.credentials_sent, entry.status) for entry in entries]
    assert seen == [(True, True, 200), (False, True, 401), (False, False, 401)]
    assert "PTsecret" not in str(entries)
    assert space.api_token not in str(entries)


def test_it_tells_which_fault_struck(api: Api, space: SimulatedSpace) -> None:
    space.faults.add(Fault("/brands", "respond", status=503, times=1))
    space.faults.add(Fault("/brands", "cut", times=1))
    for _ in range(2):
        try:
            api.get("/brands")
        except requests.RequestException:
            continue
    api.get("/brands")
    seen = [(entry.status, entry.fault) for entry in space.journal.entries()]
    assert seen == [(503, "respond"), (200, "cut"), (200, None)]


def test_it_counts_by_pattern_and_can_be_cleared(api: Api, space: SimulatedSpace) -> None:
    for size in (1, 2, 3):
        api.get("/brands", page_size=size)
    assert (space.journal.count(), len(space.journal)) == (3, 3)
    assert space.journal.count(r"page_size=[12]$") == 2
    space.journal.clear()
    assert (space.journal.count(), space.journal.requests, space.journal.connections) == (0, 0, 0)
    api.get("/brands")
    assert (space.journal.count(), space.journal.connections) == (1, 1)


def test_control_requests_are_not_in_it(api: Api, space: SimulatedSpace) -> None:
    assert api.session.get(space.url + "/_control/stats", timeout=10).ok
    assert space.journal.count() == 0


def test_it_counts_connections(api: Api, space: SimulatedSpace) -> None:
    for _ in range(3):
        api.get("/brands")
    assert (space.journal.connections, space.journal.peak_in_flight) == (1, 1)
    for _ in range(2):
        requests.get(space.url + BRANDS, auth=space.auth, timeout=10)
    assert (space.journal.connections, space.journal.peak_in_flight) == (3, 1)


def test_it_knows_the_most_requests_at_one_time(
    space: SimulatedSpace, open_api: Callable[[SimulatedSpace], Api]
) -> None:
    all_there = threading.Event()

    def count(_: str) -> None:
        if space.journal.requests == 2:
            all_there.set()

    def ask(client: Api) -> None:
        with contextlib.suppress(requests.ConnectionError):
            client.get("/brands")

    space.on_request = count
    space.faults.add(Fault("/brands", "hang"))
    clients = [open_api(space) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        asked = [pool.submit(ask, client) for client in clients]
        assert all_there.wait(10)
        space.stop()
        for each in asked:
            each.result(10)
    assert (space.journal.peak_in_flight, space.journal.connections) == (3, 3)
