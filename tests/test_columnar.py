"""A page of orders read straight into columns gives the rows made otherwise, or is left alone."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sources.signalwire import columnar
from sources.signalwire.columnar import decode_orders
from sources.signalwire.records import Origin, convert
from sources.signalwire.tables import ORDERS

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


@pytest.fixture(autouse=True)
def any_page_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has short pages read this way too."""
    monkeypatch.setattr(columnar, "LONG", 0)


def test_a_documented_page_is_read_into_columns() -> None:
    page = decode_orders(orjson.dumps({"links": {"next": "/n"}, "data": [DOCUMENTED]}), ORIGIN)
    assert isinstance(page["data"], pa.Table)
    assert page["links"]["next"] == "/n"


@settings(max_examples=150, deadline=None)
@given(PAGES, st.booleans())
@example([DOCUMENTED, DOCUMENTED | {"status_callback_url": "\N{GRINNING FACE}\n"}], True)
@example([DOCUMENTED, None], True)
@example([DOCUMENTED | {"campaign_id": "c", "brand_id": "b"}], True)
@example([DOCUMENTED | {"campaign_id": "another"}], True)
@example([DOCUMENTED, DOCUMENTED | {"brand_id": "another"}], True)
def test_rows_are_those_made_value_by_value(records: list[Any], ascii_only: bool) -> None:
    body = json.dumps({"links": {}, "data": records}, ensure_ascii=ascii_only).encode()
    page = decode_orders(body, ORIGIN)["data"]
    if not isinstance(page, pa.Table):
        assert page == records
        return
    expected = convert(ORDERS, records, ORIGIN)
    assert expected.rejects == []
    assert page.equals(expected.rows.select(page.column_names))
    assert page.schema.names == ORDERS.arrow_schema().names[: len(page.schema)]


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
    page = decode_orders(body, ORIGIN)
    plain = orjson.loads(body)
    if isinstance(page, dict) and isinstance(page.get("data"), pa.Table):
        assert page["data"]["id"].to_pylist() == [record["id"] for record in plain["data"]]
        following = [(p.get("links") or {}).get("next") for p in (page, plain)]
        assert following[0] == following[1]
    else:
        assert page == plain


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b'{"data":[]', b'{"data":[]}x', b'{"data":[]}{"data":[]}',
        b'{"data":[]}\nnull', b'{"data":[{"id":"\xff"}]}', b'{"data":[{"id":"\\ud800"}]}',
        b'{"data":[]}} {"page":{"data":[]}', b'{"data":[{"id":NaN}]}',
        b"{'data':[]}", b'{"data":[],}',
    ],
)  # fmt: skip
def test_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        decode_orders(body, ORIGIN)
