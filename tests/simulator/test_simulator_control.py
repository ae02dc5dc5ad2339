from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sources.simulator import SimulatedSpace

if TYPE_CHECKING:
    from conftest import Api


def control(space: SimulatedSpace, method: str, path: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{space.url}/_control/{path}", json=body, timeout=10)


def test_journal(api: Api, space: SimulatedSpace) -> None:
    api.get("/brands", page_size=2)
    journal = control(space, "GET", "journal").json()
    (entry,) = journal.pop("entries")
    assert journal == {"requests": 1, "connections": 1, "peak_in_flight": 1}
    assert entry.pop("duration") >= 0
    assert entry == {
        "method": "GET",
        "path": "/api/relay/rest/registry/beta/brands",
        "query": "page_size=2",
        "status": 200,
        "time": "2024-07-29T12:00:00+00:00",
        "authorized": True,
        "credentials_sent": True,
        "fault": None,
    }
    assert control(space, "DELETE", "journal").ok
    assert control(space, "GET", "journal").json()["entries"] == []


def test_faults(api: Api, space: SimulatedSpace) -> None:
    fault = {"path": "/brands", "kind": "respond", "status": 429, "times": 2, "skip": 1}
    added = control(space, "POST", "faults", fault)
    in_force = [{"path": "/brands", "kind": "respond", "left": 2, "still_to_skip": 1}]
    assert (added.status_code, added.json()) == (201, in_force)
    assert [api.get("/brands").status_code for _ in range(2)] == [200, 429]
    assert control(space, "GET", "faults").json() == [
        {**in_force[0], "left": 1, "still_to_skip": 0}
    ]
    assert control(space, "DELETE", "faults").json() == []
    assert api.get("/brands").status_code == 200


def test_latency(api: Api, space: SimulatedSpace) -> None:
    assert control(space, "POST", "latency", {"ms": 15}).json() == {"ms": 15}
    api.get("/brands")
    assert space.journal.entries()[0].duration >= 0.015


def test_clock(space: SimulatedSpace) -> None:
    start = {"now": "2024-07-29T12:00:00+00:00", "speed": 0}
    assert control(space, "GET", "clock").json() == start
    moved = control(space, "POST", "clock", {"advance": 3600}).json()
    assert moved == {"now": "2024-07-29T13:00:00+00:00", "speed": 0}
    assert control(space, "POST", "clock", {"speed": 60}).json()["speed"] == 60
    assert space.clock.speed == 60


def test_truth(space: SimulatedSpace) -> None:
    answer = control(space, "GET", "truth/orders")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    truth = space.world.truth_orders()
    assert [(row["brand_id"], row["campaign_id"], row["order"]) for row in rows] == truth


def test_orders(api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str) -> None:
    fields = {"status_callback_url": "https://x.example"}
    added = control(space, "POST", "orders", {"campaign_id": campaign_id, "fields": fields})
    order_id = added.json()["id"]
    newest = api.walk(orders_path)[0]
    assert (newest["id"], newest["state"]) == (order_id, "pending")
    assert newest["status_callback_url"] == "https://x.example"
    space.clock.advance(60)
    # A field may have the name of a parameter of ours.
    changes = {"state": "processed", "order_id": 1, "self": 2}
    assert control(space, "PATCH", f"orders/{order_id}", changes).ok
    assert api.get(f"/orders/{order_id}").json() == {
        **newest,
        **changes,
        "updated_at": "2024-07-29T12:01:00.000Z",
        "processed_at": "2024-07-29T12:01:00.000Z",
    }
    assert control(space, "DELETE", f"orders/{order_id}").ok
    assert api.get(f"/orders/{order_id}").status_code == 404


def test_stats(api: Api, space: SimulatedSpace) -> None:
    api.get("/brands")
    stats = control(space, "GET", "stats").json()
    assert stats.pop("cpu_seconds") > 0
    records = {"brands": 1, "campaigns": 2, "orders": 24, "numbers": 4}
    assert stats == {"requests": 1, "records": records}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "sentence"),
    [
        ("POST", "latency", {"ms": -1}, 422, "ms must be 0 or more"),
        ("POST", "latency", {"ms": "9"}, 422, "ms must be a number"),
        ("POST", "latency", {"ms": True}, 422, "ms must be a number"),
        ("POST", "latency", [1], 422, "the body must be a JSON object"),
        ("POST", "clock", {}, 422, "send advance (seconds), speed, or both"),
        ("POST", "clock", {"advance": -1}, 422, "the clock moves on by"),
        ("POST", "clock", {"advance": 1e12}, 422, "the clock cannot go beyond"),
        ("POST", "clock", {"speed": -1}, 422, "a clock's speed is"),
        ("POST", "clock", {"back": 1}, 422, "send advance"),
        ("POST", "faults", {"path": "x"}, 422, "a fault needs a path and a kind"),
        ("POST", "faults", {"path": "(", "kind": "cut"}, 422, "path is not a regular"),
        ("POST", "orders", {"campaign_id": 5}, 422, "send campaign_id"),
        ("POST", "orders", {"campaign_id": "nowhere"}, 404, "there is no campaign nowhere"),
        ("PATCH", "orders/nowhere", {"state": "failed"}, 404, "there is no order nowhere"),
        ("PATCH", "orders/nowhere", {"id": "x"}, 404, "there is no order nowhere"),
        ("DELETE", "orders/nowhere", None, 404, "there is no order nowhere"),
        ("GET", "nothing", None, 404, "GET /_control/nothing: Not Found"),
        ("POST", "stats", None, 405, "POST /_control/stats: Method Not Allowed"),
    ],
    ids=str,
)
def test_bad_input_is_answered_with_a_sentence(
    space: SimulatedSpace, method: str, path: str, body: Any, status: int, sentence: str
) -> None:
    answer = control(space, method, path, body)
    assert answer.status_code == status
    assert answer.json()["error"].startswith(sentence)


def test_what_is_not_json_is_refused(space: SimulatedSpace) -> None:
    answer = requests.post(space.url + "/_control/clock", data="{advance", timeout=10)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith("the body is not JSON")
