"""Reports narrowed to some orders: each is what it would be if there were no others."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from support import Workspace
from support.comparison import comparable, same

from pipelines.destinations.resolve import find_target
from pipelines.reporting.catalog import Report, configured_reports
from pipelines.reporting.rows import Narrowing, report_rows
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

# those that have a row per group, and are made of the rows per order
MADE_ANEW = (
    "processing_time_summary", "processing_time_by_brand", "processing_time_by_use_case",
    "processing_time_by_day", "processing_time_by_campaign_and_week", "processing_time_curve",
    "target_attainment", "sla_attainment", "backlog",
)  # fmt: skip


@pytest.fixture
def reports(space: SimulatedSpace, any_workspace: Workspace) -> dict[str, Report]:
    """The reports, once a run has loaded some orders and numbers."""
    space.world.add_order(space.world.truth_campaigns()[0][1]["id"], state="failed")
    any_workspace.run(space, number_assignments=True)
    return configured_reports()


def shown(workspace: Workspace, reports: dict[str, Report], name: str, **given: Any) -> Any:
    target = find_target()
    columns, rows = report_rows(target, reports, name, Narrowing(**given))
    return comparable(dict(zip(columns, row, strict=True)) for row in rows)


def expected(
    workspace: Workspace, reports: dict[str, Report], names: tuple[str, ...], condition: str
) -> dict[str, Any]:
    """The reports over the orders that a condition holds for, computed by DuckDB."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in ("order_processing", "data_as_of", "processing_targets"):
            columns, rows = report_rows(find_target(), reports, name)
            table = {c: [row[n] for row in rows] for n, c in enumerate(columns)}
            made = pa.table(table)  # noqa: F841 - DuckDB finds it by its name
            where = f"WHERE {condition}" if name == "order_processing" else ""
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM made {where}")
        for name in ("processing_time_survival",):
            connection.execute(f"CREATE VIEW {name} AS {reports[name].query}")
        found = {}
        for name in names:
            cursor = connection.execute(reports[name].query)
            columns = [column[0] for column in cursor.description or ()]
            found[name] = comparable(
                dict(zip(columns, row, strict=True)) for row in cursor.fetchall()
            )
    return found


@pytest.mark.proof
def test_each_option_leaves_the_orders_it_names(
    space: SimulatedSpace, any_workspace: Workspace, reports: dict[str, Report]
) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    brand = next(b for b in space.world.truth_brands() if b["id"] == brand_id)
    day = (space.clock.now() - timedelta(days=30)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    since = f"created_at >= TIMESTAMPTZ '{day.isoformat()}'"
    given: list[tuple[dict[str, Any], str]] = [
        ({"campaign": campaign["id"].upper()}, f"campaign_id = '{campaign['id']}'"),
        ({"brand": brand_id}, f"brand_id = '{brand_id}'"),
        ({"brand": brand["name"].lower()}, f"brand_id = '{brand_id}'"),
        (
            {"use_case": campaign["sms_use_case"].lower()},
            f"use_case = '{campaign['sms_use_case']}'",
        ),
        ({"status": "processed"}, "status = 'processed'"),
        ({"since": day}, since),
        ({"until": day}, f"NOT ({since})"),
        (
            {"brand": brand_id, "since": day, "status": "processed"},
            f"brand_id = '{brand_id}' AND {since} AND status = 'processed'",
        ),
    ]
    for options, condition in given:
        wanted = expected(any_workspace, reports, MADE_ANEW, condition)
        for name in MADE_ANEW:
            found = shown(any_workspace, reports, name, **options)
            assert len(found) == len(wanted[name]), (name, options)
            for got, want in zip(found, wanted[name], strict=True):
                wrong = {n: (got[n], want[n]) for n in want if not same(got[n], want[n])}
                assert not wrong, (name, options)


def test_reports_with_a_row_each_are_filtered(
    space: SimulatedSpace, any_workspace: Workspace, reports: dict[str, Report]
) -> None:
    brand_id, campaign = space.world.truth_campaigns()[0]
    ids = {
        row["campaign_id"] for row in any_workspace.table("orders") if row["brand_id"] == brand_id
    }
    for name in ("stuck_orders", "numbers_by_campaign", "campaign_approval", "number_processing"):
        rows = shown(any_workspace, reports, name, brand=brand_id)
        everything = shown(any_workspace, reports, name)
        assert rows == [row for row in everything if row["campaign_id"] in ids], name
    of_case = shown(any_workspace, reports, "campaign_approval", use_case=campaign["sms_use_case"])
    assert {row["use_case"] for row in of_case} == {campaign["sms_use_case"]}


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("stuck_orders", {"status": "open"}, "--status cannot narrow stuck_orders: it has no"),
        ("slower_than_before", {"since": datetime(2026, 1, 1, tzinfo=timezone.utc)},
         "--since cannot narrow slower_than_before"),
        ("data_as_of", {"use_case": "2FA"}, "--use-case cannot narrow data_as_of"),
        ("processing_time_summary", {"brand": "Unknown"}, "--brand: no brand Unknown is loaded"),
        ("order_processing", {"campaign": "x'; --"}, "--campaign: no campaign x'; -- is loaded"),
    ],
)  # fmt: skip
def test_what_cannot_be(
    any_workspace: Workspace, reports: dict[str, Report], name: str, given: Any, words: str
) -> None:
    with pytest.raises(ConfigurationError, match=words):
        shown(any_workspace, reports, name, **given)


def test_a_name_that_several_have_is_refused_with_their_ids(
    any_workspace: Workspace, reports: dict[str, Report]
) -> None:
    any_workspace.execute(f"UPDATE {any_workspace.qualified('campaigns')} SET name = 'It''s one'")
    with pytest.raises(ConfigurationError, match="campaigns are called it's ONE; give an id: "):
        shown(any_workspace, reports, "order_processing", campaign="it's ONE")
