from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sources.simulator import Clock
from sources.simulator.orders import Order
from sources.simulator.population import Campaign
from sources.simulator.rows import NotFoundError
from sources.simulator.timestamps import moment_of, stamp
from sources.simulator.world import World

START = datetime(2024, 7, 29, 12, 0, 0, tzinfo=timezone.utc)
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")

ORDER_FIELDS = [
    "id", "state", "processed_at", "created_at", "updated_at", "status_callback_url",
]  # fmt: skip
CAMPAIGN_FIELDS = [
    "id", "name", "state", "sms_use_case", "sub_use_cases", "campaign_verify_token",
    "description", "sample1", "sample2", "sample3", "sample4", "sample5", "dynamic_templates",
    "message_flow", "opt_in_message", "opt_out_message", "help_message", "opt_in_keywords",
    "opt_out_keywords", "help_keywords", "number_pooling_required",
    "number_pooling_per_campaign", "direct_lending", "embedded_link", "embedded_phone",
    "age_gated_content", "lead_generation", "csp_campaign_reference", "status_callback_url",
    "created_at", "updated_at",
]  # fmt: skip
BRAND_FIELDS = [
    "id", "state", "name", "company_name", "contact_email", "contact_phone",
    "ein_issuing_country", "legal_entity_type", "ein", "company_address", "company_vertical",
    "company_website", "csp_brand_reference", "csp_self_registered", "status_callback_url",
    "created_at", "updated_at",
]  # fmt: skip
NUMBER_FIELDS = [
    "id", "state", "campaign_id", "phone_number", "created_at", "updated_at",
]  # fmt: skip


def world(seed: int = 1, **settings: Any) -> World:
    settings.setdefault("clock", Clock(START, speed=0))
    scale = {"brands": 2, "campaigns": 2, "orders": 40}
    return World(seed, **{**scale, **settings})


def orders_of(world: World, campaign_id: str) -> list[Any]:
    return [order for _, campaign, order in world.truth_orders() if campaign == campaign_id]


def first_campaign(world: World) -> str:
    return str(world.truth_campaigns()[0][1]["id"])


# What is drawn.


def test_there_is_as_much_as_asked_for() -> None:
    counts = world(brands=3, campaigns=2, orders=7, numbers=4).counts()
    assert counts == {"brands": 3, "campaigns": 6, "orders": 42, "numbers": 24}


def test_records_have_exactly_the_documented_fields() -> None:
    full = world()
    for record in full.truth_brands():
        assert list(record) == BRAND_FIELDS
    for _, record in full.truth_campaigns():
        assert list(record) == CAMPAIGN_FIELDS
    for _, _, record in full.truth_orders():
        assert list(record) == ORDER_FIELDS
    for _, campaign_id, record in full.truth_numbers():
        assert list(record) == NUMBER_FIELDS
        assert list(record["phone_number"]) == ["id", "name", "number", "status_callback_url"]
        assert record["campaign_id"] == campaign_id


def test_ids_are_uuids_and_unique() -> None:
    full = world()
    records = full.truth_brands() + [row for *_, row in full.truth_campaigns()]
    records += [row for *_, row in full.truth_orders() + full.truth_numbers()]
    ids = [record["id"] for record in records]
    assert all(UUID4.fullmatch(each) for each in ids)
    assert len(set(ids)) == len(ids)


def test_times_are_written_with_and_without_milliseconds() -> None:
    times = [
        order[name]
        for *_, order in world(orders=200).truth_orders()
        for name in ("created_at", "updated_at", "processed_at")
        if order[name] is not None
    ]
    assert all(TIMESTAMP.fullmatch(time) for time in times)
    assert {"." in time for time in times} == {True, False}


def test_orders_are_spread_over_the_90_days_before_the_start() -> None:
    created = [moment_of(order["created_at"]) for *_, order in world(orders=500).truth_orders()]
    ages = [(START.timestamp() - (moment or 0)) / 86_400 for moment in created]
    assert 0 <= min(ages) < 1
    assert 89 < max(ages) <= 90.001


def test_orders_dates_fit_their_states() -> None:
    for *_, order in world(orders=500).truth_orders():
        assert order["created_at"] <= order["updated_at"] <= "2024-07-29T12:00:00.000Z"
        if order["state"] == "processed":
            assert order["processed_at"] == order["updated_at"]
        else:
            assert order["processed_at"] is None
        if order["state"] == "pending":
            assert order["updated_at"] == order["created_at"]


def test_brands_have_different_readable_names() -> None:
    names = [brand["name"] for brand in world(brands=1000, campaigns=0).truth_brands()]
    assert len(set(names)) == 1000
    assert names[-1] == "Acme Dental"


def test_a_campaigns_name_begins_with_its_brands() -> None:
    full = world()
    brands = {brand["id"]: brand["name"] for brand in full.truth_brands()}
    for brand_id, campaign in full.truth_campaigns():
        assert campaign["name"].startswith(brands[brand_id] + " ")


# Repeatability.


def test_the_same_seed_gives_the_same_world_whatever_is_read_first() -> None:
    forwards, backwards = world(), world()
    expected = forwards.truth_orders()
    campaigns = [campaign["id"] for _, campaign in backwards.truth_campaigns()]
    for campaign_id in reversed(campaigns):
        backwards.listing(backwards.find(Campaign, campaign_id).orders).page(0, 3)
    assert backwards.truth_numbers() == forwards.truth_numbers()
    assert backwards.truth_orders() == expected
    assert world(2).truth_orders() != expected


def test_an_order_is_found_before_its_list_was_read() -> None:
    *_, expected = world().truth_orders()[-1]
    fresh = world()
    assert fresh.find(Order, expected["id"]).fields(START.timestamp()) == expected


def test_the_future_does_not_depend_on_the_steps_it_is_reached_in() -> None:
    at_once, in_steps = world(arrivals_per_day=5), world(arrivals_per_day=5)
    at_once.clock.advance(20 * 86_400)
    for _ in range(20):
        in_steps.clock.advance(86_400)
        in_steps.truth_orders()
    assert at_once.truth_orders() == in_steps.truth_orders()


# The clock.


def test_the_clock_moves_orders_on() -> None:
    moving = world(orders=400, arrivals_per_day=0)
    before = {order["id"]: order for *_, order in moving.truth_orders()}
    moving.clock.advance(3 * 86_400)
    after = {order["id"]: order for *_, order in moving.truth_orders()}
    assert after.keys() == before.keys()
    changed = [row for key, row in after.items() if row != before[key]]
    assert changed
    for row in changed:
        assert "2024-07-29T12:00:00" <= row["updated_at"] <= stamp(moving.clock.seconds())
        assert row["created_at"] == before[row["id"]]["created_at"]


def test_some_failed_orders_turn_processed() -> None:
    moving = world(orders=2000, arrivals_per_day=0)
    failed = {order["id"] for *_, order in moving.truth_orders() if order["state"] == "failed"}
    moving.clock.advance(30 * 86_400)
    states = {order["id"]: order["state"] for *_, order in moving.truth_orders()}
    assert {states[each] for each in failed} == {"failed", "processed"}


def test_orders_arrive_when_the_clock_reaches_them() -> None:
    moving = world(arrivals_per_day=10)
    known = {order["id"] for *_, order in moving.truth_orders()}
    moving.clock.advance(86_400)
    new = [order for *_, order in moving.truth_orders() if order["id"] not in known]
    assert 20 < len(new) < 65
    for order in new:
        assert "2024-07-29T12:00:00" <= order["created_at"] <= "2024-07-30T12:00:00.000Z"


def test_no_order_arrives_if_none_should() -> None:
    still = world(arrivals_per_day=0)
    still.clock.advance(86_400 * 365)
    assert still.counts()["orders"] == 160


# Edits.


def test_an_added_order_is_the_newest_and_stays_pending() -> None:
    edited = world()
    campaign_id = first_campaign(edited)
    order_id = edited.add_order(campaign_id)
    edited.clock.advance(86_400 * 30)
    order = next(row for row in orders_of(edited, campaign_id) if row["id"] == order_id)
    assert order == {
        "id": order_id,
        "state": "pending",
        "processed_at": None,
        "created_at": "2024-07-29T12:00:00.000Z",
        "updated_at": "2024-07-29T12:00:00.000Z",
        "status_callback_url": None,
    }


def test_orders_added_at_one_moment_are_listed_last_added_first() -> None:
    edited = world(orders=0)
    campaign_id = first_campaign(edited)
    added = [edited.add_order(campaign_id) for _ in range(4)]
    assert [order["id"] for order in orders_of(edited, campaign_id)] == added[::-1]


def test_explicit_fields_override() -> None:
    edited = world()
    campaign_id = first_campaign(edited)
    fields = {
        "id": "mine", "state": "stalled", "created_at": "2024-01-15T09:30:00Z",
        "updated_at": None, "phone_numbers": ["+12015550100"], "campaign_id": "another",
    }  # fmt: skip
    assert edited.add_order(campaign_id, **fields) == "mine"
    order = orders_of(edited, campaign_id)[-1]
    assert order == {"processed_at": None, "status_callback_url": None, **fields}


def test_an_order_added_as_processed_has_been_processed_when_updated() -> None:
    edited = world(orders=0)
    edited.add_order(first_campaign(edited), state="processed", updated_at="2024-07-28T00:00:00Z")
    assert edited.truth_orders()[0][2]["processed_at"] == "2024-07-28T00:00:00Z"


def test_an_update_touches_updated_at_and_stops_the_schedule() -> None:
    edited = world(orders=400, arrivals_per_day=0)
    order = next(row for *_, row in edited.truth_orders() if row["state"] == "pending")
    edited.clock.advance(0.5)
    edited.update_order(order["id"], state="pending", status_callback_url="https://x.example")
    edited.clock.advance(86_400 * 30)
    after = next(row for *_, row in edited.truth_orders() if row["id"] == order["id"])
    assert after == {
        **order,
        "status_callback_url": "https://x.example",
        "updated_at": "2024-07-29T12:00:00.500Z",
    }


def test_a_patch_leaves_updated_at_and_the_schedule_alone() -> None:
    edited, untouched = world(), world()
    order = edited.truth_orders()[0][2]
    edited.patch_order(order["id"], carrier="example")
    edited.clock.advance(86_400 * 30)
    untouched.clock.advance(86_400 * 30)
    find = order["id"]
    patched = next(row for *_, row in edited.truth_orders() if row["id"] == find)
    plain = next(row for *_, row in untouched.truth_orders() if row["id"] == find)
    assert patched == {**plain, "carrier": "example"}


def test_a_removed_order_comes_back_to_its_exact_place() -> None:
    edited = world(orders=0)
    campaign_id = first_campaign(edited)
    added = [edited.add_order(campaign_id) for _ in range(5)]
    edited.remove_order(added[2])
    assert [row["id"] for row in orders_of(edited, campaign_id)] == [
        added[4], added[3], added[1], added[0]
    ]  # fmt: skip
    edited.restore_order(added[2])
    assert [row["id"] for row in orders_of(edited, campaign_id)] == added[::-1]


def test_a_removed_campaign_takes_its_orders_and_numbers_along() -> None:
    edited = world()
    before = edited.truth_orders(), edited.truth_numbers(), edited.truth_campaigns()
    _, campaign_id, order = before[0][0]
    edited.remove_campaign(campaign_id)
    assert edited.counts() == {"brands": 2, "campaigns": 3, "orders": 120, "numbers": 9}
    with pytest.raises(NotFoundError):
        edited.update_order(order["id"], state="failed")
    edited.restore_campaign(campaign_id)
    assert before == (edited.truth_orders(), edited.truth_numbers(), edited.truth_campaigns())


def test_brands_campaigns_and_numbers_can_be_added_changed_and_removed() -> None:
    edited = world(brands=0)
    brand_id = edited.add_brand(name="Birch Dental")
    campaign_id = edited.add_campaign(brand_id)
    number_id = edited.add_number(campaign_id, state="pending")
    edited.clock.advance(timedelta(hours=1).total_seconds())
    edited.update_brand(brand_id, state="unverified")
    edited.update_campaign(campaign_id, name="Birch reminders", updated_at="2024-07-29T12:30:00Z")
    edited.update_number(number_id, state="completed")
    (brand,), ((_, campaign),) = edited.truth_brands(), edited.truth_campaigns()
    ((_, _, number),) = edited.truth_numbers()
    assert (brand["state"], brand["updated_at"]) == ("unverified", "2024-07-29T13:00:00.000Z")
    assert campaign["updated_at"] == "2024-07-29T12:30:00Z"
    assert campaign["name"] == "Birch reminders"
    assert (number["state"], number["created_at"]) == ("completed", "2024-07-29T12:00:00.000Z")
    edited.remove_number(number_id)
    assert edited.truth_numbers() == []


@pytest.mark.parametrize("raw", [None, 7, "text", [], {}, {"id": None}, {"id": "x", "a": [1.5]}])
def test_raw_records_are_in_the_truth_as_they_are(raw: Any) -> None:
    edited = world()
    brand_id, campaign = edited.truth_campaigns()[0]
    edited.insert_raw(campaign["id"], raw)
    edited.insert_raw_brand(raw)
    edited.insert_raw_campaign(brand_id, raw)
    assert orders_of(edited, campaign["id"])[0] == raw
    assert edited.truth_brands()[0] == raw
    assert edited.truth_campaigns()[0][1] == raw


@pytest.mark.parametrize("edit", ["update_order", "remove_order", "restore_order", "patch_order"])
def test_edits_of_what_is_not_there_are_refused(edit: str) -> None:
    with pytest.raises(NotFoundError, match="order nowhere"):
        getattr(world(), edit)("nowhere")


def test_ids_are_neither_changed_nor_given_twice() -> None:
    edited = world()
    _, campaign_id, order = edited.truth_orders()[0]
    with pytest.raises(ValueError, match="does not change"):
        edited.update_order(order["id"], id="other")
    with pytest.raises(ValueError, match="already"):
        edited.add_order(campaign_id, id=order["id"])
    with pytest.raises(ValueError, match="insert_raw"):
        edited.add_order(campaign_id, id=None)
