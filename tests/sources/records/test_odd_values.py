"""Values, numbers and names of fields that no destination takes as they are served."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import Workspace

from sources.signalwire.records.column_names import column_names
from sources.simulator import Fault, SimulatedSpace


def serve(space: SimulatedSpace, *records: str) -> str:
    """Has one campaign's orders answered with these records, as they are; its id."""
    campaign_id = str(space.world.truth_campaigns()[0][1]["id"])
    body = '{"links":{},"data":[' + ",".join(records) + "]}"
    served = body.encode("utf-8", "surrogateescape")
    space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=200, body=served))
    return campaign_id


def the_orders(workspace: Workspace, campaign_id: str) -> dict[str, dict[str, Any]]:
    rows = workspace.table("orders")
    return {row["id"]: row for row in rows if row["campaign_id"] == campaign_id}


def assert_quiet(workspace: Workspace, space: SimulatedSpace) -> None:
    rejected = [row["id"] for row in workspace.table("rejected")]
    assert workspace.run(space, full=True).stats.counts()["orders_loaded"] == 0
    assert [row["id"] for row in workspace.table("rejected")] == rejected


@pytest.mark.parametrize(
    ("field", "served", "name", "stored"),
    [
        ("state", r'"pen\u0000ding"', "state", "pending"),
        ("more", r'{"a":["x\u0000"]}', "more", '{"a":["x"]}'),
        (r"mo\u0000re", '"x"', column_names(["more"], frozenset())["more"], "x"),
        ("state", r'"a\ud83db"', "state", "a\ufffdb"),
        ("state", r'"a\ude00b"', "state", "a\ufffdb"),
        ("state", '"a\udcffb"', "state", "a\ufffdb"),
        ("state", "NaN", "state", None),
        ("state", "-Infinity", "state", None),
        ("updated_at", "1e400", "updated_at", None),
    ],
)
def test_what_cannot_be_stored_is_mended_and_noted(
    space: SimulatedSpace,
    any_workspace: Workspace,
    field: str,
    served: str,
    name: str,
    stored: str | None,
) -> None:
    campaign_id = serve(space, f'{{"id":"odd","{field}":{served}}}', '{"id":"good"}')
    assert any_workspace.run(space).stats.failures == []
    orders = the_orders(any_workspace, campaign_id)
    assert set(orders) == {"odd", "good"}
    assert orders["odd"][name] == stored
    (rejected,) = any_workspace.table("rejected")
    assert rejected["record_id"] == "odd"
    assert "cannot be stored" in rejected["reason"] or "can be stored" in rejected["reason"]
    assert_quiet(any_workspace, space)


def test_names_of_campaigns_and_brands_and_ids_are_mended(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    space.world.update_brand(brand_id, name="Ac\0me")
    space.world.update_campaign(campaign["id"], description="o\0dd", sub_use_cases=["x\0"])
    space.world.insert_raw(campaign["id"], {"id": "o\0ne", "state": "x"})
    assert any_workspace.run(space).stats.failures == []
    names = {row["id"]: row["name"] for row in any_workspace.table("brands")}
    assert names[brand_id] == "Acme"
    assert "one" in the_orders(any_workspace, campaign["id"])
    assert len(any_workspace.table("rejected")) == 3
    assert_quiet(any_workspace, space)


def test_a_byte_order_mark_is_passed_over(space: SimulatedSpace, workspace: Workspace) -> None:
    campaign_id = str(space.world.truth_campaigns()[0][1]["id"])
    body = b'\xef\xbb\xbf{"links":{},"data":[{"id":"one"}]}'
    space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=200, body=body))
    assert workspace.run(space).stats.failures == []
    assert set(the_orders(workspace, campaign_id)) == {"one"}
    assert workspace.table("rejected") == []


def test_a_body_that_is_no_json_still_is_none(space: SimulatedSpace, workspace: Workspace) -> None:
    serve(space, '{"id":"one","a":NaN,')
    (failure,) = workspace.run(space).stats.failures
    assert "not JSON" in failure


@pytest.mark.parametrize(
    "number", ["123456789012345678901234567890", "1.10", "1e5", "-0.0", "-0", "12345678901234567"]
)
def test_numbers_are_stored_digit_by_digit(
    space: SimulatedSpace, any_workspace: Workspace, number: str
) -> None:
    record = f'{{"id":"one","state":{number},"price":{number},"deep":{{"a":[1,{number}]}}}}'
    campaign_id = serve(space, record)
    any_workspace.run(space)
    row = the_orders(any_workspace, campaign_id)["one"]
    assert (row["state"], row["price"]) == (number, number)
    assert row["deep"] == f'{{"a":[1,{number}]}}'
    assert_quiet(any_workspace, space)


FIELDS = [
    "rowid", "_rowid_", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "filename",
    "file_index", "file_row_number", "_dlt_place", "_dlt_id", "api_rowid", "fooBar", "foo_bar",
    "FooBar", "foo-bar", "foo bar", "foo.bar", "Foo", "foo", "FOO", "", " ", "\N{GRINNING FACE}",
    "Id", "ID", "ReadAt", "read_at", "deleted_at", "l" * 110 + "one", "l" * 110 + "two",
]  # fmt: skip


def test_fields_of_any_name_are_stored_apart(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    record = {"id": "one"} | {name: f"<{name}>" for name in FIELDS}
    campaign_id = serve(space, json.dumps(record))
    any_workspace.run(space)
    row = the_orders(any_workspace, campaign_id)["one"]
    stored = [value for value in row.values() if isinstance(value, str) and value[0] == "<"]
    assert sorted(stored) == sorted(f"<{name}>" for name in FIELDS)
    assert row["foo_bar"] == "<foo_bar>"
    assert_quiet(any_workspace, space)


def test_a_column_does_not_depend_on_which_spelling_came_first(
    space: SimulatedSpace, any_workspace: Workspace
) -> None:
    campaign_id = str(space.world.truth_campaigns()[0][1]["id"])
    first = space.world.add_order(campaign_id, fooBar="camel")
    any_workspace.run(space)
    space.clock.advance(3600)
    second = space.world.add_order(campaign_id, foo_bar="snake")
    any_workspace.run(space)
    orders = the_orders(any_workspace, campaign_id)
    assert orders[second]["foo_bar"] == "snake"
    assert orders[first]["foo_bar"] is None
    assert "camel" in orders[first].values()
    assert_quiet(any_workspace, space)
