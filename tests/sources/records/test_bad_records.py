"""Records that are not as documented: kept, told apart, and no harm to the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from support import Workspace, as_json, instant, true_orders

from sources.signalwire.records.column_names import column_names
from sources.simulator import SimulatedSpace

GIVEN = {"id", "brand_id", "read_at", "_dlt_load_id"}
OpenSpace = Callable[..., SimulatedSpace]


@pytest.fixture
def campaign_id(space: SimulatedSpace) -> str:
    return str(space.world.truth_campaigns()[0][1]["id"])


def order(workspace: Workspace, order_id: str) -> dict[str, Any]:
    (row,) = workspace.rows(f"SELECT * FROM orders WHERE id = '{order_id}'")
    return row


@pytest.mark.parametrize(
    "record",
    [
        {"state": "pending", "created_at": "2026-01-01T00:00:00Z"},
        {"id": None, "state": "pending"},
        {"id": "  "},
        {"id": 17},
        {"id": {"uuid": "x"}},
        "no object at all",
        ["a", "list"],
        None,
        3.5,
    ],
    ids=lambda record: as_json(record)[:24],
)
def test_a_record_without_a_usable_id_is_kept_apart(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str, record: Any
) -> None:
    expected = true_orders(space)
    space.world.insert_raw(campaign_id, record)
    result = workspace.run(space)
    assert workspace.orders() == expected
    (rejected,) = workspace.table("rejected")
    assert rejected["record"] == as_json(record)
    assert rejected["campaign_id"] == campaign_id
    assert rejected["table_name"] == "orders"
    assert rejected["path"].endswith(f"/campaigns/{campaign_id}/orders")
    assert rejected["run_id"] == result.stats.run_id
    assert result.stats.counts()["rejected"] == 1


@pytest.mark.parametrize(
    "value",
    ["yesterday", "", "2026-01-01", "2026-13-01T00:00:00Z", 1767225600, {"at": 1}, "12:30"],
    ids=repr,
)
def test_an_unreadable_timestamp_becomes_null_and_is_told(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str, value: Any
) -> None:
    order_id = space.world.add_order(campaign_id)
    space.world.patch_order(order_id, updated_at=value)
    workspace.run(space)
    row = order(workspace, order_id)
    assert row["updated_at"] is None
    assert row["state"] == "pending"
    (rejected,) = workspace.table("rejected")
    assert rejected["record_id"] == order_id
    assert "updated_at" in rejected["reason"]
    assert as_json({"updated_at": value})[1:-1] in rejected["record"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-07-29T15:51:28.071Z", "2024-07-29T15:51:28.071+00:00"),
        ("2024-07-29T15:51:28Z", "2024-07-29T15:51:28+00:00"),
        ("2024-07-29T15:51:28.123456Z", "2024-07-29T15:51:28.123456+00:00"),
        ("2024-07-29T15:51:28.123456789Z", "2024-07-29T15:51:28.123456+00:00"),
        ("2024-07-29T17:51:28+02:00", "2024-07-29T15:51:28+00:00"),
        ("2024-07-29T15:51:28", "2024-07-29T15:51:28+00:00"),
        ("2024-07-29 15:51:28z", "2024-07-29T15:51:28+00:00"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59+00:00"),
    ],
    ids=lambda value: str(value)[10:],
)
def test_timestamps_in_every_documented_form_and_kin(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str, value: str, expected: str
) -> None:
    order_id = space.world.add_order(campaign_id)
    space.world.patch_order(order_id, updated_at=value)
    workspace.run(space)
    assert order(workspace, order_id)["updated_at"] == instant(expected)
    assert workspace.table("rejected") == []


def test_null_and_missing_fields_are_null(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str
) -> None:
    space.world.insert_raw(campaign_id, {"id": "bare"})
    space.world.insert_raw(campaign_id, {"id": "nulls", "state": None, "updated_at": None})
    workspace.run(space)
    for order_id in ("bare", "nulls"):
        row = order(workspace, order_id)
        assert row.pop("campaign_id") == campaign_id
        assert {k for k, v in row.items() if v is not None} == {
            "id",
            "brand_id",
            "read_at",
            "_dlt_load_id",
        }
    assert workspace.table("rejected") == []


def test_an_order_without_updated_at_is_loaded_every_time(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str
) -> None:
    order_id = space.world.add_order(campaign_id)
    space.world.patch_order(order_id, updated_at=None)
    workspace.run(space)
    space.world.patch_order(order_id, state="processed")
    workspace.run(space)
    assert order(workspace, order_id)["state"] == "processed"


def test_a_state_nobody_has_heard_of_is_stored_as_it_is(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str
) -> None:
    order_id = space.world.add_order(campaign_id, state="Awaiting carrier ✨")
    workspace.run(space)
    assert order(workspace, order_id)["state"] == "Awaiting carrier ✨"


class TestNewFields:
    """Fields the API adds later."""

    def test_get_columns_in_the_same_run(
        self,
        space: SimulatedSpace,
        workspace: Workspace,
        campaign_id: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        before = space.world.add_order(campaign_id)
        workspace.run(space)
        space.clock.advance(3600)
        fields = {
            "phone_numbers": ["+15550100", {"n": 1}],
            "carrier": "x",
            "priority": 3,
            "urgent": True,
            "Weird Name!": "kept",
        }
        order_id = space.world.add_order(campaign_id, **fields)
        other_id = space.world.add_order(campaign_id, carrier="y")
        workspace.run(space)
        row = order(workspace, order_id)
        assert row["phone_numbers"] == as_json(fields["phone_numbers"])
        assert (row["carrier"], row["priority"], row["urgent"]) == ("x", "3", "true")
        assert row[column_names(["Weird Name!"], frozenset())["Weird Name!"]] == "kept"
        assert order(workspace, other_id)["carrier"] == "y"
        assert order(workspace, before)["carrier"] is None
        told = [r.getMessage() for r in caplog.records if "new field" in r.getMessage()]
        assert sum("carrier" in message for message in told) == 1
        assert len(told) == len(fields)

    def test_may_change_their_type_later(
        self, space: SimulatedSpace, workspace: Workspace, campaign_id: str
    ) -> None:
        first = space.world.add_order(campaign_id, carrier=7)
        workspace.run(space)
        second = space.world.add_order(campaign_id, carrier={"name": "x"})
        workspace.run(space)
        assert order(workspace, first)["carrier"] == "7"
        assert order(workspace, second)["carrier"] == '{"name":"x"}'

    def test_do_not_collide_with_our_own_columns(
        self, space: SimulatedSpace, workspace: Workspace, campaign_id: str
    ) -> None:
        brand_id = space.world.truth_campaigns()[0][0]
        order_id = space.world.add_order(
            campaign_id,
            campaign_id=campaign_id,
            brand_id=brand_id,
            _dlt_load_id="theirs",
            ID="loud",
        )
        workspace.run(space)
        row = order(workspace, order_id)
        assert (row["campaign_id"], row["brand_id"]) == (campaign_id, brand_id)
        assert row["api_dlt_load_id"] == "theirs"
        assert row[column_names(["ID"], frozenset({"id"}))["ID"]] == "loud"
        assert row["_dlt_load_id"] != "theirs"
        assert workspace.table("rejected") == []

    def test_a_parent_that_contradicts_the_list_is_told(
        self, space: SimulatedSpace, workspace: Workspace, campaign_id: str
    ) -> None:
        order_id = space.world.add_order(campaign_id, campaign_id="another")
        workspace.run(space)
        assert order(workspace, order_id)["campaign_id"] == campaign_id
        (rejected,) = workspace.table("rejected")
        assert '"campaign_id":"another"' in rejected["record"]


def test_known_fields_of_another_type_are_kept_or_told(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    space.world.insert_raw_campaign(
        brand_id,
        campaign | {"id": "odd", "name": 5, "direct_lending": "TRUE", "embedded_link": "maybe"},
    )
    workspace.run(space)
    (row,) = workspace.rows("SELECT * FROM campaigns WHERE id = 'odd'")
    assert (row["name"], row["direct_lending"], row["embedded_link"]) == ("5", True, None)
    (rejected,) = workspace.table("rejected")
    assert "embedded_link" in rejected["reason"]


def test_a_rejected_record_read_again_adds_no_row_and_shows_no_sensitive_field(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    space.world.insert_raw_brand({"id": "", "ein": "99-9999999", "name": "Nameless"})
    workspace.run(space)
    second = workspace.run(space)
    (rejected,) = workspace.table("rejected")
    assert rejected["record"] == '{"id":"","name":"Nameless"}'
    assert rejected["run_id"] == second.stats.run_id


@pytest.mark.proof
def test_one_future_timestamp_holds_nothing_back(
    space: SimulatedSpace, workspace: Workspace, campaign_id: str
) -> None:
    space.world.add_order(campaign_id, updated_at="2199-01-01T00:00:00Z")
    workspace.run(space)
    space.clock.advance(5 * 24 * 3600)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)
    assert workspace.run(space).stats.counts()["orders_loaded"] == 0
