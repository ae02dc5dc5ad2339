from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from sources.simulator import SimulatedSpace
from sources.simulator.paging import PageError, cut, token_for

if TYPE_CHECKING:
    from conftest import Api

PATH = "/api/relay/rest/registry/beta/brands"
TOKEN = token_for(1, PATH)


def ids(rows: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in rows]


# Pure decisions.


def test_the_first_page_links_to_the_next() -> None:
    page = cut(120, PATH, {}, token=TOKEN)
    assert (page.start, page.stop) == (0, 50)
    assert page.links == {
        "self": f"{PATH}?page_number=0&page_size=50",
        "first": f"{PATH}?page_size=50",
        "next": f"{PATH}?page_number=1&page_size=50&page_token={TOKEN}",
    }


def test_the_last_page_links_back_only() -> None:
    query = {"page_number": "2", "page_size": "50", "page_token": TOKEN}
    page = cut(120, PATH, query, token=TOKEN)
    assert (page.start, page.stop) == (100, 150)
    assert page.links == {
        "self": f"{PATH}?page_number=2&page_size=50&page_token={TOKEN}",
        "first": f"{PATH}?page_size=50",
        "prev": f"{PATH}?page_number=1&page_size=50&page_token={TOKEN}",
    }


@pytest.mark.parametrize(
    ("total", "more"), [(0, False), (49, False), (50, False), (51, True)], ids=str
)
def test_next_is_there_only_while_there_is_more(total: int, more: bool) -> None:
    assert ("next" in cut(total, PATH, {}, token=TOKEN).links) is more


def test_links_keep_filters_and_only_those() -> None:
    query = {"filter_name": "Acme & Co", "unknown": "x", "page_size": "2"}
    links = cut(9, PATH, query, token=TOKEN, filters=("filter_name",)).links
    for link in links.values():
        read = parse_qs(urlsplit(link).query)
        assert (read["filter_name"], read["page_size"]) == (["Acme & Co"], ["2"])
        assert "unknown" not in read


def test_a_page_size_above_the_cap_counts_as_the_cap() -> None:
    page = cut(9_000, PATH, {"page_size": "5000"}, token=TOKEN, max_page_size=1000)
    assert page.stop == 1000
    assert "page_size=1000&" in page.links["next"]


def test_links_are_absolute_when_an_origin_is_given() -> None:
    page = cut(99, PATH, {}, token=TOKEN, origin="http://127.0.0.1:8080")
    assert page.links["first"] == f"http://127.0.0.1:8080{PATH}?page_size=50"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"page_number": "1"}, "page_token is required"),
        ({"page_number": "1", "page_token": "PAwrong"}, "page_token is not one"),
        ({"page_number": "1", "page_token": token_for(2, PATH)}, "page_token is not one"),
        ({"page_number": "-1"}, "page_number must be"),
        ({"page_number": "one"}, "page_number must be"),
        ({"page_number": "9" * 5000}, "page_number must be"),
        ({"page_size": "0"}, "page_size must be"),
        ({"page_size": "1.5"}, "page_size must be"),
        ({"page_size": "٣"}, "page_size must be"),
        ({"page_size": ""}, "page_size must be"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_names_no_page_is_refused(query: dict[str, str], sentence: str) -> None:
    with pytest.raises(PageError, match=sentence):
        cut(120, PATH, query, token=TOKEN)


# Over HTTP.


@pytest.mark.parametrize("size", [1, 5, 12, 50])
def test_walking_to_the_end_gets_every_order_once_newest_first(
    api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str, size: int
) -> None:
    rows = api.walk(orders_path, page_size=size)
    truth = [order for _, campaign, order in space.world.truth_orders() if campaign == campaign_id]
    assert rows == truth
    assert len(set(ids(rows))) == 12
    created = [row["created_at"][:19] for row in rows]
    assert created == sorted(created, reverse=True)


def test_an_order_that_arrives_during_a_walk_shows_a_row_twice(
    api: Api, space: SimulatedSpace, campaign_id: str, orders_path: str
) -> None:
    before = ids(api.walk(orders_path))
    pages = api.pages(orders_path, page_size=5)
    seen = ids(next(pages)["data"])
    space.world.add_order(campaign_id)
    seen += [row["id"] for page in pages for row in page["data"]]
    assert seen == before[:5] + before[4:]


def test_an_order_removed_during_a_walk_hides_another(
    api: Api, space: SimulatedSpace, orders_path: str
) -> None:
    before = ids(api.walk(orders_path))
    pages = api.pages(orders_path, page_size=5)
    seen = ids(next(pages)["data"])
    space.world.remove_order(before[0])
    seen += [row["id"] for page in pages for row in page["data"]]
    assert seen == before[:5] + before[6:]


def test_a_page_beyond_the_end_is_empty(api: Api, orders_path: str) -> None:
    first = api.get(orders_path, page_size=5).json()
    token = parse_qs(urlsplit(first["links"]["next"]).query)["page_token"][0]
    page = api.get(orders_path, page_size=5, page_number=7, page_token=token).json()
    assert page["data"] == []
    assert "next" not in page["links"]


def test_links_lead_back_to_where_one_came_from(api: Api, orders_path: str) -> None:
    first, second, third = api.pages(orders_path, page_size=5)
    assert api.get(third["links"]["prev"]).json() == second
    assert api.get(second["links"]["self"]).json() == second
    assert api.get(second["links"]["prev"]).json() == first
    assert api.get(third["links"]["first"]).json() == first


def test_a_page_token_is_required_after_the_first_page(api: Api, orders_path: str) -> None:
    answer = api.get(orders_path, page_number=1)
    assert answer.status_code == 422
    assert answer.json() == {
        "errors": [
            {
                "detail": "page_token is required once page_number is above 0",
                "status": "422",
                "title": "Unprocessable Entity",
                "code": "missing_parameter",
            }
        ]
    }
