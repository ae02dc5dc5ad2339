"""From JSON to rows: pages converted together give what each gives alone, whatever is in them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sources.signalwire.records.batch import OrderBatch, Origin, PageRecords
from sources.signalwire.records.convert import convert, order_batches
from sources.signalwire.records.decoding import Records, decoded
from sources.signalwire.records.rejects import Reject
from sources.signalwire.records.schema import ORDERS, Column, Kind

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
        "status_callback_url": TEXTS, "campaign_id": st.sampled_from([None, "c0", "another", 3]),
        "brand_id": st.sampled_from([None, "b0", "another"]), "phone_numbers": TEXTS,
    },
)  # fmt: skip
PAGES = st.lists(st.lists(st.one_of(ORDER, st.none(), TEXTS), max_size=4), max_size=4)
DOCUMENTED = {"id": "o", "state": "processed", "updated_at": "2026-07-29T15:51:28.071Z"}
WHOLE = dict.fromkeys(("id", *(field.name for field in ORDERS.fields)), "o")
WHOLE_ORDER = st.fixed_dictionaries({name: st.one_of(st.text(), TEXTS) for name in WHOLE})
READ_AT = 1_785_340_000_000_000


def page(number: int, records: list[Any]) -> PageRecords:
    """The page of a campaign of its own, as it comes over the wire."""
    origin = Origin(f"/campaigns/c{number}/orders", f"b{number}", f"c{number}")
    body = orjson.dumps({"links": {}, "data": records})
    return PageRecords(origin, Records.of(decoded(body)["data"]), READ_AT + number)


def batches_of(pages: Sequence[PageRecords]) -> tuple[list[OrderBatch], list[Reject]]:
    found = convert(ORDERS, pages)
    return order_batches(found), found.rejects


def without_empty_columns(rows: pa.Table) -> list[dict[str, Any]]:
    return [{k: v for k, v in row.items() if v is not None} for row in rows.to_pylist()]


@settings(max_examples=150, deadline=None)
@given(PAGES)
@example([[DOCUMENTED, DOCUMENTED | {"status_callback_url": "\N{GRINNING FACE}\n"}], [], [None]])
@example([[DOCUMENTED | {"campaign_id": "another"}], [DOCUMENTED | {"fee": 1.50}]])
@example([[DOCUMENTED | {"updated_at": 0}], [{"id": "o", "created_at": "-", "updated_at": "-"}]])
def test_pages_together_give_what_each_gives_alone(pages: list[list[Any]]) -> None:
    together, rejects = batches_of([page(n, records) for n, records in enumerate(pages)])
    alone = [batches_of([page(n, records)]) for n, records in enumerate(pages)]
    assert len(together) == len(pages)
    for batch, ((single,), _) in zip(together, alone, strict=True):
        assert without_empty_columns(batch.rows) == without_empty_columns(single.rows)
        assert (batch.ids, batch.updated_at) == (single.ids, single.updated_at)
        assert batch.created_at == single.created_at
    key = [(r.origin, r.record_id or "", r.reason) for r in rejects]
    assert sorted(key) == sorted(
        (r.origin, r.record_id or "", r.reason) for _, faults in alone for r in faults
    )


@settings(max_examples=100, deadline=None)
@given(PAGES)
def test_records_in_columns_give_what_they_give_as_they_were_served(pages: list[list[Any]]) -> None:
    packed = [page(n, records) for n, records in enumerate(pages)]
    plain = [p._replace(records=list(p.records)) for p in packed]
    (batches, rejects), (expected, known) = batches_of(packed), batches_of(plain)
    assert [b.rows.to_pylist() for b in batches] == [b.rows.to_pylist() for b in expected]
    assert ([b.ids for b in batches], rejects) == ([b.ids for b in expected], known)


def test_records_in_columns_are_the_same_records() -> None:
    alike = [DOCUMENTED, DOCUMENTED | {"state": 7}]
    packed = Records.of(alike)
    assert isinstance(packed, Records)
    assert (list(packed), len(packed), packed == Records.of(list(alike))) == (alike, 2, True)
    for other in ([], [{}], [{}, {}], [DOCUMENTED, {"id": "p"}], [{"a": 1}, {"b": 1}], [1], [None]):
        assert Records.of(other) is other


@settings(max_examples=150, deadline=None)
@given(st.lists(WHOLE_ORDER, max_size=3), st.booleans())
@example([WHOLE | {"state": "-0"}, WHOLE | {"id": "\0", "state": "\\u0000"}], False)
@example([WHOLE | {"id": " "}, WHOLE | {"state": 0}], False)
def test_documented_pages_are_what_they_are_by_their_looks(
    orders: list[Any], is_escaped: bool
) -> None:
    page = {"links": {"next": "/orders?page=2", "prev": None}, "data": orders}
    body = json.dumps(page, ensure_ascii=is_escaped)
    body = body.replace('"id"', '"id": "twice", "id"')
    quick = decoded(body.encode())
    by_its_looks = decoded(f'{body[:-1]}, "more": 1}}'.encode())
    assert quick["links"] == by_its_looks["links"]
    assert list(quick["data"]) == by_its_looks["data"]


def test_documented_pages_are_decoded_straight_into_columns() -> None:
    def data(*orders: Any) -> Any:
        return decoded(json.dumps({"links": {}, "data": orders}).encode())["data"]

    assert isinstance(data(WHOLE, WHOLE | {"state": None}), Records)
    for other in (WHOLE | {"state": 7}, WHOLE | {"fee": "1"}, DOCUMENTED, {"state": "\0"}, None):
        assert data(WHOLE, other)[1] == (other if other != {"state": "\0"} else {"state": ""})
        assert isinstance(data(WHOLE, other), list)


def test_reasons_stand_in_the_order_of_the_columns() -> None:
    """The reason is part of the reject's id: another order would add a row at each reading."""
    record = {"id": "o", "updated_at": 7, "created_at": "soon", "state": "x", "brand_id": "other"}
    _, (reject,) = batches_of([page(0, [record])])
    time = "not a UTC timestamp in ISO 8601 form"
    assert reject.reason == (
        f"brand_id is not the one whose list it is in; created_at is {time}; updated_at is {time}"
    )


def test_each_page_keeps_its_origin_and_time() -> None:
    batches, rejects = batches_of([page(n, [DOCUMENTED] * n) for n in range(3)])
    assert rejects == []
    for n, batch in enumerate(batches):
        rows = batch.rows.to_pylist()
        assert [row["campaign_id"] for row in rows] == [f"c{n}"] * n
        assert [row["brand_id"] for row in rows] == [f"b{n}"] * n
        assert batch.rows["read_at"].cast(pa.int64()).to_pylist() == [READ_AT + n] * n
        assert batch.updated_at == batch.rows["updated_at"].cast(pa.int64()).to_pylist()


def test_a_field_that_the_vendor_adds_becomes_a_column_and_changes_nothing_else() -> None:
    plain = convert(ORDERS, [page(0, [DOCUMENTED])]).rows
    more = convert(ORDERS, [page(0, [DOCUMENTED | {"carrier": "x", "Fee": 1.50}])]).rows
    names = [name for name in more.column_names if name not in plain.column_names]
    assert more.select(plain.column_names).equals(plain)
    assert more["carrier"].to_pylist() == ["x"]
    (fee,) = [name for name in names if name != "carrier"]
    assert more[fee].to_pylist() == ["1.5"]


@pytest.mark.parametrize(
    ("kind", "good", "expected", "bad", "why"),
    [
        ("text", ["a", 7, {"b": 1}, None], ["a", "7", '{"b":1}', None], None, ""),
        ("bool", [True, "false", None], [True, False, None], "maybe", "neither true nor false"),
        ("bigint", [7, "8", 9.0, None], [7, 8, 9, None], 1.5, "no whole number"),
        ("bigint", [2**62], [2**62], f"{2**64}", "a number of more than 64 bits"),
        ("bigint", [0], [0], True, "no number"),
        ("double", [1.5, 2, "2.5", None], [1.5, 2.0, 2.5, None], "x", "no number"),
        ("double", [1e300], [1e300], False, "no number"),
        ("json", [{"a": [1]}, "x", None], ['{"a":[1]}', '"x"', None], None, ""),
    ],
)
def test_a_column_of_any_kind_may_be_added_to_a_table(
    kind: Kind, good: list[Any], expected: list[Any], bad: Any, why: str
) -> None:
    table = dataclasses.replace(ORDERS, fields=(*ORDERS.fields, Column("extra", kind, "Added.")))
    records = [DOCUMENTED | {"extra": value} for value in good]
    converted = convert(table, [page(0, records)])
    assert converted.rows["extra"].to_pylist() == expected
    assert converted.rejects == []
    for value in good:
        assert convert(table, [page(0, [DOCUMENTED | {"extra": value}])]).rejects == []
    if bad is not None:
        rows, _, _, (reject,) = convert(table, [page(0, [*records, DOCUMENTED | {"extra": bad}])])
        assert rows["extra"].to_pylist() == [*expected, None]
        assert reject.reason == f"extra is {why}"


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"[]", b"7", b'"x"', b"{}", b'{"data":null}', b'{"data":{}}', b'{"data":[null]}',
        b'{"data":[[]]}', b'{"links":null,"data":[]}', b'{"links":{"next":5},"data":[]}',
        b'{"links":[],"data":[]}', b'{"links":{"more":"x"},"data":[]}', b'{"data":[],"total":1}',
        b'{"data":[{"id":"a","id":"b"}]}', b' \n{"data":[]}\n',
    ],
)  # fmt: skip
def test_json_is_decoded_as_it_is(body: bytes) -> None:
    assert decoded(body) == orjson.loads(body)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<html>", b'{"data":[]', b'{"data":[]}x', b'{"data":[]}{"data":[]}',
        b'{"data":[]}\nnull', b"{'data':[]}", b'{"data":[],}',
    ],
)  # fmt: skip
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        decoded(body)


@pytest.mark.parametrize(
    "number",
    [
        "1.50",
        "-0.0",
        "-0",
        "1e2",
        "1E400",
        "12345678901234567890123",
        "0.1e-7",
        "100000000000000000",
    ],
)
@pytest.mark.parametrize("place", ["%s", "[%s]", '{"deep": [{"er": %s}]}', "[[], [0, %s]]"])
def test_numbers_are_kept_digit_by_digit(number: str, place: str) -> None:
    value = place.replace("%s", number)
    body = f'{{"links":{{}},"data":[{{"id":"o","n":{value}}}]}}'
    (record,) = decoded(body.encode())["data"]
    if number == "1E400":
        assert record.faults
        return
    rows = convert(ORDERS, [PageRecords(Origin("/"), [record], READ_AT)]).rows
    text = rows["n"].to_pylist()[0]
    assert json.loads(text, parse_float=str, parse_int=str) == json.loads(
        value, parse_float=str, parse_int=str
    )
