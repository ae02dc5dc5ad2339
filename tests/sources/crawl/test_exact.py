"""What stands in the destination is what the API has: whole tables against the space's truth."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import Workspace, as_json, instant, true_numbers, true_orders

from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
TIMES = {"created_at", "updated_at"}
SENSITIVE_BRAND = {"contact_email", "contact_phone", "ein", "company_address"}


@pytest.mark.parametrize("orders", [30, 300])
def test_every_order_once_and_the_same_after_a_second_run(
    open_space: OpenSpace, workspace: Workspace, orders: int
) -> None:
    space = open_space(brands=20, campaigns=10, orders=orders)
    first = workspace.run(space)
    assert workspace.orders() == true_orders(space)
    assert first.stats.counts()["orders_loaded"] == len(space.world.truth_orders()) == 200 * orders
    second = workspace.run(space)
    assert workspace.orders() == true_orders(space)
    assert second.stats.counts()["orders_loaded"] == 0
    assert (first.stats.mode, second.stats.mode) == ("backfill", "incremental")


def test_orders_that_moved_on_are_brought_up_to_date(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    before = workspace.orders()
    space.clock.advance(5 * 24 * 3600)
    result = workspace.run(space)
    after = workspace.orders()
    assert after == true_orders(space)
    changed = [row for row in after if row not in before]
    assert result.stats.counts()["orders_loaded"] == len(changed) > 0


@pytest.mark.proof
def test_a_change_within_the_margin_is_loaded_once(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    order_id = space.world.truth_orders()[0][2]["id"]
    space.world.update_order(order_id, state="processing")
    workspace.run(space)
    assert workspace.run(space).stats.counts()["orders_loaded"] == 0
    # the clock stands still: the same updated_at, another content
    space.world.update_order(order_id, state="processed")
    assert workspace.run(space).stats.counts()["orders_loaded"] == 1
    assert workspace.orders() == true_orders(space)


def test_an_order_that_changes_behind_the_walk_is_not_lost(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=1, campaigns=2, orders=30)
    changed: list[str] = []

    def change_one_already_read(path: str) -> None:
        if "page_number=2" in path:
            campaign_id = path.split("/campaigns/")[1].split("/")[0]
            orders = [r for _, c, r in space.world.truth_orders() if c == campaign_id]
            newest = max(orders, key=lambda r: str(r["created_at"]))
            space.clock.advance(60)
            space.world.update_order(newest["id"], state="reviewing")
            changed.append(newest["id"])

    space.on_request = change_one_already_read
    workspace.run(space, page_size=10)
    space.on_request = None
    assert changed
    space.clock.advance(3600)
    workspace.run(space, page_size=10)
    assert workspace.orders() == true_orders(space)


def test_rows_that_slide_to_a_later_page_are_there_once(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=1, campaigns=1, orders=30)
    ((_, campaign_id, _), *_) = space.world.truth_orders()

    def add_one(path: str) -> None:
        if "/orders" in path:
            space.world.add_order(campaign_id)

    space.on_request = add_one
    workspace.run(space, page_size=7)
    space.on_request = None
    workspace.run(space, page_size=7)
    assert workspace.orders() == true_orders(space)


def test_campaigns_and_brands_as_served(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space, include_sensitive=True)
    campaigns = [
        record
        | {"brand_id": brand_id, "sub_use_cases": as_json(record["sub_use_cases"])}
        | {name: instant(record[name]) for name in TIMES}
        for brand_id, record in space.world.truth_campaigns()
    ]
    brands = [r | {name: instant(r[name]) for name in TIMES} for r in space.world.truth_brands()]
    assert workspace.alive("campaigns") == sorted(campaigns, key=lambda row: row["id"])
    assert workspace.alive("brands") == sorted(brands, key=lambda row: row["id"])


def test_sensitive_fields_stay_out(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    assert not SENSITIVE_BRAND & workspace.table("brands")[0].keys()
    assert "campaign_verify_token" not in workspace.table("campaigns")[0]
    brand = space.world.truth_brands()[0]
    stored = workspace.database.read_bytes()
    assert brand["contact_email"].encode() not in stored
    assert brand["company_name"].encode() in stored


def test_number_assignments_only_when_asked_for(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    assert workspace.table("number_assignments") == []
    workspace.run(space, number_assignments=True)
    assert workspace.alive("number_assignments") == true_numbers(space)


@pytest.mark.parametrize("cap", [1, 7, 12, 50], ids=lambda cap: f"at-most-{cap}-a-page")
def test_a_server_that_caps_the_page_size_is_read_to_the_end(
    open_space: OpenSpace, workspace: Workspace, cap: int
) -> None:
    space = open_space(max_page_size=cap)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)


def test_absolute_links_are_followed_too(open_space: OpenSpace, workspace: Workspace) -> None:
    space = open_space(absolute_links=True, max_page_size=5)
    workspace.run(space)
    assert workspace.orders() == true_orders(space)


def test_an_empty_space_gives_empty_tables(open_space: OpenSpace, workspace: Workspace) -> None:
    result = workspace.run(open_space(brands=0))
    assert result.stats.complete
    for table in ("orders", "campaigns", "brands", "rejected", "campaign_failures"):
        assert workspace.table(table) == []
    assert len(workspace.table("runs")) == 1


class TestNarrowed:
    """Runs limited to a part of the space."""

    def test_to_a_campaign(self, space: SimulatedSpace, workspace: Workspace) -> None:
        campaign_id = space.world.truth_campaigns()[2][1]["id"]
        workspace.run(space, campaign_ids=[campaign_id])
        expected = [row for row in true_orders(space) if row["campaign_id"] == campaign_id]
        assert workspace.orders() == expected
        assert [row["id"] for row in workspace.table("campaigns")] == [campaign_id]

    def test_to_a_brand(self, space: SimulatedSpace, workspace: Workspace) -> None:
        brand_id = space.world.truth_brands()[1]["id"]
        workspace.run(space, brand_ids=[brand_id])
        expected = [row for row in true_orders(space) if row["brand_id"] == brand_id]
        assert workspace.orders() == expected

    def test_to_a_state_without_moving_a_cursor(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space, order_state="processed")
        expected = [row for row in true_orders(space) if row["state"] == "processed"]
        assert workspace.orders() == expected != []
        workspace.run(space)
        assert workspace.orders() == true_orders(space)

    def test_to_a_state_that_the_server_does_not_filter(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        from sources.simulator import Fault

        _, campaign_id, order = space.world.truth_orders()[0]
        body = {"links": {}, "data": [order, order | {"id": "other", "state": "elsewhere"}]}
        space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=200, body=body))
        workspace.run(space, order_state="elsewhere", campaign_ids=[campaign_id])
        assert [row["id"] for row in workspace.orders()] == ["other"]

    def test_to_a_resource(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space, resources=["brands"])
        tables = {row["table_name"] for row in workspace.rows("SELECT * FROM duckdb_tables()")}
        assert "brands" in tables
        assert not {"orders", "campaigns"} & tables
        assert space.journal.count("/orders") == 0

    def test_is_written_down(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space, order_state="processed")
        assert workspace.table("runs")[0]["narrowed_to"] == '{"state":"processed"}'


def test_the_destination_decides_what_is_known(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    workspace.database.unlink()
    assert workspace.run(space).stats.mode == "backfill"
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_a_campaign_that_moves_to_another_brand_is_loaded_again(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    from sources.simulator import Fault

    workspace.run(space)
    first, second = (brand["id"] for brand in space.world.truth_brands())
    moved = [record for brand_id, record in space.world.truth_campaigns() if brand_id == first]
    nothing = {"links": {}, "data": []}
    for brand_id, body in ((first, nothing), (second, {"links": {}, "data": moved})):
        space.faults.add(Fault(f"brands/{brand_id}/campaigns", "respond", status=200, body=body))
    workspace.run(space)
    ids = {record["id"] for record in moved}
    rows = [row for row in workspace.orders() if row["campaign_id"] in ids]
    assert {row["brand_id"] for row in rows} == {second}
