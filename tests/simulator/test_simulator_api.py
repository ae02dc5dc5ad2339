"""The endpoints, the errors and the headers of the imitated API."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sources.simulator import Clock, SimulatedSpace

if TYPE_CHECKING:
    from conftest import Api

NOT_FOUND = (404, {"error": "Not Found"})


def answer(response: requests.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def test_what_is_served_is_the_truth(api: Api, space: SimulatedSpace) -> None:
    brands = api.walk("/brands", page_size=2)
    campaigns = [(b["id"], c) for b in brands for c in api.walk(f"/brands/{b['id']}/campaigns")]
    orders, numbers = (
        [
            (brand_id, campaign["id"], row)
            for brand_id, campaign in campaigns
            for row in api.walk(f"/campaigns/{campaign['id']}/{what}", page_size=5)
        ]
        for what in ("orders", "numbers")
    )
    assert brands == space.world.truth_brands()
    assert campaigns == space.world.truth_campaigns()
    assert orders == space.world.truth_orders()
    assert numbers == space.world.truth_numbers()


def test_single_records_are_those_of_the_lists(api: Api, space: SimulatedSpace) -> None:
    brand_id, campaign_id, order = space.world.truth_orders()[0]
    assert answer(api.get(f"/brands/{brand_id}")) == (200, space.world.truth_brands()[0])
    campaign = space.world.truth_campaigns()[0][1]
    assert answer(api.get(f"/campaigns/{campaign_id}")) == (200, campaign)
    assert answer(api.get(f"/orders/{order['id']}")) == (200, order)


@pytest.mark.parametrize(
    "path",
    [
        "/brands/nowhere",
        "/brands/nowhere/campaigns",
        "/campaigns/nowhere",
        "/campaigns/nowhere/orders",
        "/campaigns/nowhere/numbers",
        "/orders/nowhere",
        "/campaigns",
        "/orders",
        "/brands/",
        "/api/relay/rest/phone_numbers",
    ],
)
def test_what_is_not_there_is_not_found(api: Api, path: str) -> None:
    assert answer(api.get(path)) == NOT_FOUND


def test_ids_are_found_only_as_what_they_are(api: Api, brand_id: str, campaign_id: str) -> None:
    assert answer(api.get(f"/campaigns/{brand_id}/orders")) == NOT_FOUND
    assert answer(api.get(f"/orders/{campaign_id}")) == NOT_FOUND


def test_a_removed_campaign_is_not_found(
    api: Api, space: SimulatedSpace, brand_id: str, campaign_id: str, orders_path: str
) -> None:
    order = api.walk(orders_path)[0]
    space.world.remove_campaign(campaign_id)
    for path in (f"/campaigns/{campaign_id}", orders_path, f"/orders/{order['id']}"):
        assert answer(api.get(path)) == NOT_FOUND
    listed = [row["id"] for row in api.walk(f"/brands/{brand_id}/campaigns")]
    assert campaign_id not in listed
    space.world.restore_campaign(campaign_id)
    assert api.walk(orders_path)[0] == order


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Basic", "Basic {wrong}", "Basic {wrong_project}", "Bearer {right}", "Basic ?!"],
)
def test_requests_need_the_right_credentials(
    api: Api, space: SimulatedSpace, authorization: str | None
) -> None:
    encoded = {
        "right": encoded_credentials(space.project_id, space.api_token),
        "wrong": encoded_credentials(space.project_id, "PTwrong"),
        "wrong_project": encoded_credentials("wrong", space.api_token),
    }
    headers = {} if authorization is None else {"Authorization": authorization.format(**encoded)}
    api.session.auth = None
    url = space.url + "/api/relay/rest/registry/beta/brands"
    response = api.session.get(url, headers=headers, timeout=10)
    assert answer(response) == (401, {"error": "Unauthorized"})


def encoded_credentials(user: str, password: str) -> str:
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def test_credentials_are_checked_before_anything_else(api: Api) -> None:
    api.session.auth = ("wrong", "wrong")
    assert api.get("/nowhere").status_code == 401


def test_credentials_are_drawn_from_the_seed_or_given(
    open_space: Callable[..., SimulatedSpace],
) -> None:
    first, same, other = open_space(), open_space(), open_space(seed=2)
    given = open_space(project_id="project", api_token="PTtoken")
    assert first.auth == same.auth
    assert first.auth != other.auth
    assert first.api_token.startswith("PT")
    assert given.auth == ("project", "PTtoken")


def test_states_are_filtered_before_paging(
    api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str
) -> None:
    for state in ("pending", "failed", "pending"):
        space.world.add_order(campaign_id, state=state)
    everything = api.walk(orders_path)
    states = {row["state"] for row in everything}
    assert len(states) > 1
    for state in states:
        expected = [row for row in everything if row["state"] == state]
        assert api.walk(orders_path, filter_state=state, page_size=3) == expected
    assert api.walk(orders_path, filter_state="nonesuch") == []


def test_names_are_filtered_by_part_whatever_their_case(api: Api, brand_id: str) -> None:
    path = f"/brands/{brand_id}/campaigns"
    rows = api.walk(path)
    last_word = rows[0]["name"].split()[-1]
    assert api.walk(path, filter_name=last_word.upper()) == [rows[0]]
    assert api.walk("/brands", filter_name="no such brand") == []


def test_numbers_are_filtered_by_state_and_unknown_filters_ignored(
    api: Api, space: SimulatedSpace, campaign_id: str
) -> None:
    path = f"/campaigns/{campaign_id}/numbers"
    space.world.add_number(campaign_id, state="odd")
    assert [row["state"] for row in api.walk(path, filter_state="odd")] == ["odd"]
    assert len(api.walk(path, filter_name="nobody")) == 3


def test_raw_records_are_served_as_they_are(
    api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str
) -> None:
    raws: list[Any] = [{"id": None}, {}, None, "text", {"state": 5, "id": {"a": "ä"}}, [1]]
    for raw in raws:
        space.world.insert_raw(campaign_id, raw)
    assert api.walk(orders_path, page_size=4)[: len(raws)] == raws[::-1]
    assert api.walk(orders_path, filter_state="5") == []


def test_page_sizes_above_the_cap_are_capped(
    open_space: Callable[..., SimulatedSpace], open_api: Callable[[SimulatedSpace], Api]
) -> None:
    space = open_space(max_page_size=5)
    api = open_api(space)
    path = f"/campaigns/{space.world.truth_campaigns()[0][1]['id']}/orders"
    page = api.get(path, page_size=1000).json()
    assert len(page["data"]) == 5
    assert "page_size=5" in page["links"]["next"]
    assert len(api.walk(path, page_size=1000)) == 12


def test_links_can_be_absolute(
    open_space: Callable[..., SimulatedSpace], open_api: Callable[[SimulatedSpace], Api]
) -> None:
    space = open_space(absolute_links=True)
    api = open_api(space)
    path = f"/campaigns/{space.world.truth_campaigns()[0][1]['id']}/orders"
    page = api.get(path, page_size=5).json()
    assert all(link.startswith(space.url + "/api/") for link in page["links"].values())
    assert len(api.walk(path, page_size=5)) == 12


def test_links_are_relative_unless_asked_for(api: Api, orders_path: str) -> None:
    links = api.get(orders_path, page_size=5).json()["links"]
    assert all(link.startswith("/api/relay/rest/registry/beta/") for link in links.values())


def test_the_date_is_the_simulated_one(api: Api, space: SimulatedSpace) -> None:
    assert api.get("/brands").headers["Date"] == "Mon, 29 Jul 2024 12:00:00 GMT"
    space.clock.advance(86_400.9)
    dates = [api.get(path).headers["Date"] for path in ("/brands", "/nowhere")]
    assert dates == ["Tue, 30 Jul 2024 12:00:00 GMT"] * 2


def test_a_running_clock_runs_in_the_answers(
    open_space: Callable[..., SimulatedSpace], open_api: Callable[[SimulatedSpace], Api]
) -> None:
    space = open_space(clock=Clock(speed=1_000_000))
    api = open_api(space)
    first, second = (parsedate_to_datetime(api.get("/brands").headers["Date"]) for _ in range(2))
    assert second > first


def test_the_clock_moves_what_is_served(api: Api, space: SimulatedSpace, campaign_id: str) -> None:
    path = f"/campaigns/{campaign_id}/orders"
    before = api.walk(path)
    space.clock.advance(86_400 * 60)
    after = api.walk(path)
    assert len(after) > len(before)
    assert after == [row for _, each, row in space.world.truth_orders() if each == campaign_id]


def test_writing_is_not_imitated(api: Api, space: SimulatedSpace) -> None:
    response = api.session.post(space.url + "/api/relay/rest/registry/beta/brands", timeout=10)
    assert response.status_code == 405
    assert response.json()["errors"][0]["code"] == "method_not_allowed"


def test_a_hook_can_change_the_world_in_the_middle_of_a_walk(
    api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str
) -> None:
    asked: list[str] = []

    def add_once(path_qs: str) -> None:
        asked.append(path_qs)
        if "page_number=1" in path_qs:
            space.world.add_order(campaign_id)

    space.on_request = add_once
    rows = api.walk(orders_path, page_size=6)
    assert len(rows) == 13
    assert rows[6] == rows[5]
    assert asked[0].endswith("/orders?page_size=6")


@pytest.mark.filterwarnings("ignore")
def test_a_failure_of_its_own_is_a_500(
    api: Api, space: SimulatedSpace, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("the hook is broken")

    space.on_request = fail
    with caplog.at_level(logging.CRITICAL):
        assert answer(api.get("/brands")) == (500, {"error": "Internal Server Error"})
    assert space.journal.entries()[-1].status == 500


def test_a_rate_limit_says_when_to_come_back(
    open_space: Callable[..., SimulatedSpace], open_api: Callable[[SimulatedSpace], Api]
) -> None:
    # So slow that no test is slow enough to be let in again.
    api = open_api(open_space(rate_limit=0.01))
    assert api.get("/brands").status_code == 200
    refused = api.get("/brands")
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 100
    assert refused.json()["errors"][0]["status"] == "429"


def test_latency_delays_every_answer(api: Api, space: SimulatedSpace) -> None:
    space.set_latency(20)
    assert api.get("/brands").ok
    assert space.journal.entries()[-1].duration >= 0.02


def test_the_token_is_not_shown(space: SimulatedSpace) -> None:
    assert space.api_token not in repr(space)
    assert space.project_id in repr(space)


def test_a_space_can_be_started_again(open_space: Callable[..., SimulatedSpace]) -> None:
    space = open_space()
    with pytest.raises(RuntimeError, match="already"):
        space.start()
    space.stop()
    space.stop()
    with space:
        assert requests.get(space.url + "/_control/clock", timeout=10).ok


def test_a_port_in_use_is_an_error_of_the_caller(
    open_space: Callable[..., SimulatedSpace],
) -> None:
    port = int(open_space().url.rpartition(":")[2])
    second = SimulatedSpace(port=port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    second.stop()


@pytest.mark.parametrize("host", [str(IPv4Address(0)), "192.0.2.1", "example.com", ""])
def test_it_listens_on_loopback_only(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        SimulatedSpace(host=host)
