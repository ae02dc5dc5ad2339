from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sources.simulator import Fault, SimulatedSpace
from sources.simulator.faults import Faults

if TYPE_CHECKING:
    from conftest import Api


def strikes(faults: Faults, path: str, count: int) -> list[bool]:
    return [faults.take(path) is not None for _ in range(count)]


# Pure decisions.


def test_it_passes_over_the_first_and_strikes_a_number_of_times() -> None:
    faults = Faults()
    faults.add(Fault("/orders", "reset", times=2, skip=1))
    assert strikes(faults, "/orders", 5) == [False, True, True, False, False]


def test_it_strikes_for_ever_unless_told() -> None:
    faults = Faults()
    faults.add(Fault(r"page_number=\d", "reset"))
    assert strikes(faults, "/orders?page_number=3", 3) == [True] * 3
    assert strikes(faults, "/orders", 3) == [False] * 3
    faults.clear()
    assert strikes(faults, "/orders?page_number=3", 1) == [False]


def test_the_first_that_has_times_left_wins() -> None:
    faults = Faults()
    first, second = Fault("/orders", "reset", times=1), Fault("/orders", "respond", times=1)
    faults.add(first)
    faults.add(second)
    assert [faults.take("/orders") for _ in range(3)] == [first, second, None]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "explode"}, "kind must be one of"),
        ({"path": "("}, "not a regular expression"),
        ({"path": 1}, "path must be"),
        ({"times": 0}, "times must be"),
        ({"times": True}, "times must be"),
        ({"skip": -1}, "skip must be"),
        ({"status": 42}, "status must be"),
        ({"headers": [1]}, "headers must be"),
        ({"headers": {"Retry-After": 1}}, "headers must have"),
        ({"body": 5}, "body must be"),
        ({"seconds": -1}, "seconds must be"),
        ({"seconds": float("inf")}, "seconds must be"),
        ({"second": 1}, "a fault has no second"),
    ],
    ids=str,
)
def test_what_is_no_fault_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Fault.from_json({"path": "/orders", "kind": "respond", **fields})


# Over HTTP.


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ({"error": "Bad Gateway"}, "application/json; charset=utf-8", '{"error":"Bad Gateway"}'),
        (["list"], "application/json; charset=utf-8", '["list"]'),
        ("<html>", "text/plain; charset=utf-8", "<html>"),
        (b"bytes", "text/plain; charset=utf-8", "bytes"),
    ],
    ids=["dict", "list", "text", "bytes"],
)
def test_respond(api: Api, space: SimulatedSpace, body: Any, content_type: str, text: str) -> None:
    fault = Fault(
        "/brands", "respond", times=1, status=502, headers={"Retry-After": "7"}, body=body
    )
    space.faults.add(fault)
    struck = api.get("/brands")
    assert (struck.status_code, struck.text) == (502, text)
    assert struck.headers["Content-Type"] == content_type
    assert struck.headers["Retry-After"] == "7"
    assert struck.headers["Date"] == "Mon, 29 Jul 2024 12:00:00 GMT"
    assert api.get("/brands").status_code == 200


def test_respond_can_say_anything_of_its_body(api: Api, space: SimulatedSpace) -> None:
    headers = {"Content-Type": "text/html", "Date": "yesterday"}
    space.faults.add(Fault("/brands", "respond", status=200, headers=headers, body="<html>"))
    struck = api.get("/brands")
    assert (struck.status_code, struck.text) == (200, "<html>")
    assert (struck.headers["Content-Type"], struck.headers["Date"]) == ("text/html", "yesterday")


def test_headers(api: Api, space: SimulatedSpace) -> None:
    right = api.get("/brands")
    space.faults.add(Fault("/brands", "headers", times=1, headers={"Date": "yesterday"}))
    struck = api.get("/brands")
    assert (struck.status_code, struck.content) == (200, right.content)
    assert struck.headers["Date"] == "yesterday"
    assert api.get("/brands").headers["Date"] == right.headers["Date"]


def test_reset(api: Api, space: SimulatedSpace) -> None:
    space.faults.add(Fault("/brands", "reset", times=1))
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.get("/brands")
    assert api.get("/brands").status_code == 200


def test_cut(api: Api, space: SimulatedSpace, orders_path: str) -> None:
    whole = api.get(orders_path)
    space.faults.add(Fault("/orders", "cut", times=1))
    response = api.session.get(whole.url, stream=True, timeout=10)
    assert response.headers["Content-Length"] == str(len(whole.content))
    assert response.headers["Content-Type"] == whole.headers["Content-Type"]
    received: list[bytes] = []
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        received.extend(response.iter_content(1))
    assert b"".join(received) == whole.content[: len(whole.content) // 2]
    assert api.get(orders_path).content == whole.content


def test_hang_for_a_while(api: Api, space: SimulatedSpace) -> None:
    space.faults.add(Fault("/brands", "hang", times=1, seconds=0.01))
    with pytest.raises(requests.ConnectionError):
        api.get("/brands")
    assert api.get("/brands").status_code == 200


def test_hang_until_the_client_gives_up(api: Api, space: SimulatedSpace) -> None:
    space.faults.add(Fault("/brands", "hang", times=1))
    url = space.url + "/api/relay/rest/registry/beta/brands"
    with pytest.raises(requests.ReadTimeout):
        api.session.get(url, timeout=0.05)
    assert api.get("/brands").status_code == 200
    assert [entry.status for entry in space.journal.entries()] == [None, 200]


def test_stopping_frees_those_that_hang(api: Api, space: SimulatedSpace) -> None:
    under_way = threading.Event()
    space.on_request = lambda _: under_way.set()
    space.faults.add(Fault("/brands", "hang"))
    errors: list[Exception] = []

    def ask() -> None:
        try:
            api.get("/brands")
        except requests.ConnectionError as error:
            errors.append(error)

    client = threading.Thread(target=ask)
    client.start()
    assert under_way.wait(10)
    space.stop()
    client.join(10)
    assert len(errors) == 1


def test_delay(api: Api, space: SimulatedSpace) -> None:
    right = api.get("/brands").json()
    space.faults.add(Fault("/brands", "delay", seconds=0.02))
    assert api.get("/brands").json() == right
    assert space.journal.entries()[-1].duration >= 0.02


def test_faults_strike_with_or_without_credentials(api: Api, space: SimulatedSpace) -> None:
    api.session.auth = None
    space.faults.add(Fault("/brands", "respond", times=1, status=503))
    assert api.get("/brands").status_code == 503
    assert api.get("/brands").status_code == 401
