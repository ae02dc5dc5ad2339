"""A page of orders read straight into columns gives the rows made otherwise, or is left alone."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer
from sources.signalwire.incremental.cursor import Versions
from sources.signalwire.records.columnar import decode_pages
from sources.signalwire.records.convert import Origin, convert
from sources.signalwire.records.schema import ORDERS, TIMESTAMP
from sources.signalwire.records.values import as_json

ORIGIN = Origin("/campaigns/c/orders", "b", "c")
MOMENTS = st.sampled_from(
    [
        None, "2026-01-15T09:30:00Z", "2026-07-29T15:51:28.071Z", "2026-07-29T15:51:28.071123Z",
        "2026-07-29T15:51:28.0711234Z", "2026-07-29T15:51:28+02:00", "2026-07-29 15:51:28",
        "2026-07-29", "soon", "", 0, 1.5, True,
    ]
)  # fmt: skip
TEXTS = st.one_of(st.none(), st.text(max_size=9), st.sampled_from(["processed", "\0", " ", 7, {}]))
ORDER = st.fixed_dictionaries(
    {"id": st.one_of(st.uuids().map(str), TEXTS)},
    optional={
        "state": TEXTS, "created_at": MOMENTS, "updated_at": MOMENTS, "processed_at": MOMENTS,
        "status_callback_url": TEXTS, "campaign_id": st.sampled_from([None, "c", "another", 3]),
        "brand_id": st.sampled_from([None, "b", "another"]), "phone_numbers": TEXTS,
    },
)  # fmt: skip
PAGES = st.lists(ORDER, max_size=4)
DOCUMENTED = {"id": "o", "state": "processed", "updated_at": "2026-07-29T15:51:28.071Z"}


READ_AT = 1_785_340_000_000_000
GOOD = orjson.dumps({"links": {"next": "/n"}, "data": [DOCUMENTED]})


def fetched(body: bytes, origin: Origin = ORIGIN, read_at: int = READ_AT) -> tuple[Get, Answer]:
    return Get(origin.path, None, origin), Answer(body, "http://x/", None, read_at)


def decode(body: bytes) -> Any:
    """The page that is this body alone; None if it is no JSON."""
    (answer,) = decode_pages([fetched(body)])
    return answer.payload if answer else None


def expected_rows(records: list[Any], origin: Origin = ORIGIN, read_at: int = READ_AT) -> pa.Table:
    own = {"read_at": pa.scalar(read_at, pa.int64()).cast(TIMESTAMP)}
    converted = convert(ORDERS, records, [origin] * len(records), own=own)
    assert converted.rejects == []
    return converted.rows


def test_a_documented_page_is_read_into_columns() -> None:
    page = decode(GOOD)
    assert isinstance(page["data"], Versions)
    assert page["links"]["next"] == "/n"


def test_pages_read_together_are_each_their_own() -> None:
    others = [Origin(f"/campaigns/{n}/orders", f"b{n}", f"c{n}") for n in range(3)]
    records = [[DOCUMENTED | {"id": f"{n}{m}"} for m in range(n)] for n in range(3)]
    bodies = [orjson.dumps({"links": {"next": str(n)}, "data": records[n]}) for n in range(3)]
    answers = decode_pages([fetched(bodies[n], others[n], READ_AT + n) for n in range(3)])
    for n, answer in enumerate(answers):
        assert answer is not None
        versions = answer.payload["data"]
        assert answer.payload["links"]["next"] == str(n)
        assert versions.rows.equals(expected_rows(records[n], others[n], READ_AT + n))
        assert versions.ids == [record["id"] for record in records[n]]
        assert versions.updated_at == versions.rows["updated_at"].cast(pa.int64()).to_pylist()
        assert versions.created_at == [None] * n


@pytest.mark.parametrize("odd", [b'{"data":[{"id":7}]}', '{"data":[{"id":"é"}]}'.encode(), b"{no}"])
def test_an_odd_page_among_others_changes_nothing_of_them(odd: bytes) -> None:
    good, other = decode_pages([fetched(GOOD), fetched(odd)])
    assert good is not None
    rows = good.payload["data"]
    if isinstance(rows, Versions):
        assert rows.rows.equals(expected_rows([DOCUMENTED]))
    else:
        assert rows == [DOCUMENTED]
    assert (other.payload if other else None) == (None if odd == b"{no}" else orjson.loads(odd))


def test_answers_decoded_already_are_passed_on() -> None:
    plain = Answer({"data": []}, "http://x/", None, READ_AT)
    assert decode_pages([(Get("/brands"), plain)]) == [plain]


def without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {key: without_nul(item) for key, item in value.items()}
    return value


@settings(max_examples=150, deadline=None)
@given(PAGES, st.booleans())
@example([DOCUMENTED, DOCUMENTED | {"status_callback_url": "\N{GRINNING FACE}\n"}], True)
@example([DOCUMENTED, None], True)
@example([DOCUMENTED | {"campaign_id": "c", "brand_id": "b"}], True)
@example([DOCUMENTED | {"campaign_id": "another"}], True)
@example([DOCUMENTED, DOCUMENTED | {"brand_id": "another"}], True)
def test_rows_are_those_made_value_by_value(records: list[Any], ascii_only: bool) -> None:
    body = json.dumps({"links": {}, "data": records}, ensure_ascii=ascii_only).encode()
    page = decode(body)["data"]
    if isinstance(page, Versions):
        assert page.rows.equals(expected_rows(records))
    else:
        # numbers are kept digit by digit, which says the same in JSON
        assert json.loads(as_json(page)) == without_nul(json.loads(body)["data"])


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"[]", b"7", b'"x"', b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":[null]}',
        b'{"data":[[]]}', b'{"links":null,"data":[]}', b'{"links":{"next":5},"data":[]}',
        b'{"links":[],"data":[]}', b'{"links":{"more":"x"},"data":[]}', b'{"data":[],"total":1}',
        b'{"data":[{"id":"a","id":"b"}]}', b' \n{"data":[]}\n',
    ],
)  # fmt: skip
def test_anything_else_is_as_the_json_has_it(body: bytes) -> None:
    page = decode(body)
    plain = orjson.loads(body)
    if isinstance(page, dict) and isinstance(page.get("data"), Versions):
        assert page["data"].ids == [record["id"] for record in plain["data"]]
        following = [(p.get("links") or {}).get("next") for p in (page, plain)]
        assert following[0] == following[1]
    else:
        assert page == plain


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b'{"data":[]', b'{"data":[]}x', b'{"data":[]}{"data":[]}',
        b'{"data":[]}\nnull',
        b'{"data":[]}} {"page":{"data":[]}',
        b"{'data':[]}", b'{"data":[],}',
    ],
)  # fmt: skip
def test_no_json_is_none(body: bytes) -> None:
    assert decode(body) is None
    good, bad = decode_pages([fetched(GOOD), fetched(body)])
    assert good is not None
    assert bad is None
