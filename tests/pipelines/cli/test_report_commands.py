"""The reports on the command line, and as views at a destination."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timezone
from typing import Any

import pytest
import sqlglot
from support import Workspace, true_orders
from support.report_truth import MAIN_TARGET, TARGETS

from pipelines.destinations.naming import schemas_to_show
from pipelines.reporting.catalog import DIALECTS, in_full, load_reports
from sources.signalwire.records.schema import TABLES
from sources.simulator import SimulatedSpace

REPORTS = load_reports(TARGETS, MAIN_TARGET)


@pytest.mark.parametrize("name", REPORTS)
def test_every_column_is_described_in_its_place(name: str) -> None:
    report = REPORTS[name]
    assert report.grain.startswith("One row")
    tree = sqlglot.parse_one(report.query, read="duckdb")
    assert [column.alias_or_name for column in tree.selects] == list(report.columns)


@pytest.mark.parametrize("name", REPORTS)
def test_the_columns_for_a_narrow_terminal_are_columns(name: str) -> None:
    report = REPORTS[name]
    assert {*report.on_terminal} <= {*report.columns}
    # a few columns, or a single row, are shown whole
    assert report.on_terminal or name in (
        "data_as_of", "processing_targets", "promises", "processing_time_summary",
    )  # fmt: skip


def test_every_report_comes_after_those_it_builds_on() -> None:
    names = list(REPORTS)
    for place, report in enumerate(REPORTS.values()):
        assert report.sources & REPORTS.keys() <= {*names[:place]}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.proof
def test_every_table_and_report_is_named_in_full_and_nothing_else(name: str) -> None:
    tree = sqlglot.parse_one(
        in_full(REPORTS[name].query, schemas_to_show("data"), "duckdb"), read="duckdb"
    )
    own = {part.alias for part in tree.find_all(sqlglot.exp.CTE)}
    assert not own & {*TABLES, *REPORTS}
    for table in tree.find_all(sqlglot.exp.Table):
        of = {**dict.fromkeys(TABLES, "data"), **dict.fromkeys(REPORTS, "data_reports")}
        assert table.name in own | of.keys()
        assert table.db == of.get(table.name, "")


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_every_report_is_sql_in_every_dialect(dialect: str) -> None:
    for report in REPORTS.values():
        query = in_full(report.query, schemas_to_show("signalwire"), dialect)
        statement = f"CREATE VIEW r AS {query}"
        tree = sqlglot.parse_one(statement, read=dialect)
        read = {f"{table.db}.{table.name}" for table in tree.find_all(sqlglot.exp.Table)}
        schemas = ("signalwire.", "signalwire_reports.")
        assert any(name.startswith(schemas) for name in read) or report.name in (
            "processing_targets",
            "promises",
        )


class TestViews:
    """As they are at the destination after a run."""

    def test_a_run_makes_them(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        any_workspace.run(space)
        for name, report in REPORTS.items():
            rows = any_workspace.rows(f"SELECT * FROM signalwire_reports.{name}")
            assert all([*row] == [*report.columns] for row in rows)
        (summary,) = any_workspace.rows("SELECT * FROM signalwire_reports.processing_time_summary")
        states = [row["state"] for row in true_orders(space)]
        assert summary["orders"] == len(states)
        assert summary["processed"] == states.count("processed")
        assert summary["failed"] == states.count("failed")
        assert abs((summary["as_of"] - space.clock.now()).total_seconds()) < 60

    @pytest.mark.proof
    def test_now_is_when_the_data_was_read(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        ages = "SELECT order_id, age_hours FROM signalwire_reports.order_processing"
        before = any_workspace.rows(ages)
        space.clock.advance(7 * 3600)
        assert any_workspace.rows(ages) == before
        # a run that saw a part only says nothing of the rest
        campaign_id = space.world.truth_campaigns()[0][1]["id"]
        moment = "SELECT as_of FROM signalwire_reports.data_as_of"
        as_of = any_workspace.rows(moment)
        any_workspace.run(space, campaign_ids=[campaign_id])
        assert any_workspace.rows(moment) == as_of
        any_workspace.run(space)
        assert any_workspace.rows(moment)[0]["as_of"] > as_of[0]["as_of"]

    @pytest.mark.proof
    def test_an_older_version_of_them_gives_way(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        """Also where the columns differ, which a view that is there does not allow."""
        any_workspace.run(space)
        any_workspace.execute("DROP VIEW signalwire_reports.stuck_orders")
        any_workspace.execute("CREATE VIEW signalwire_reports.stuck_orders AS SELECT 1 AS other")
        any_workspace.execute("DROP VIEW signalwire_reports.reports_version")
        any_workspace.run(space)
        rows = any_workspace.rows("SELECT * FROM signalwire_reports.stuck_orders")
        assert [*rows[0]] == [*REPORTS["stuck_orders"].columns]

    def test_one_that_somebody_dropped_is_made_anew(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        any_workspace.execute("DROP VIEW signalwire_reports.backlog")
        any_workspace.run(space)
        assert any_workspace.rows("SELECT * FROM signalwire_reports.backlog")

    @pytest.mark.proof
    def test_they_can_be_switched_off(
        self, space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REPORTS__APPLY", "false")
        workspace.run(space)
        schemas = workspace.rows("SELECT schema_name FROM information_schema.schemata")
        assert "signalwire_reports" not in {row["schema_name"] for row in schemas}
        done = workspace.command("report")
        assert done.returncode == 2
        assert "signalwire-orders reports apply" in done.stderr
        done = workspace.command("reports", "apply")
        assert done.returncode == 0, done.stderr
        assert done.stdout.startswith(f"{len(REPORTS)} views made in signalwire_reports")
        assert workspace.command("report").returncode == 0

    @pytest.mark.proof
    def test_wait_until_there_are_orders(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space, resources=["brands"])
        done = any_workspace.command("reports", "apply")
        assert done.returncode == 2
        assert "campaigns, orders: not loaded yet" in done.stderr
        any_workspace.run(space)
        assert any_workspace.rows("SELECT * FROM signalwire_reports.backlog")

    @pytest.mark.proof
    def test_that_cannot_be_made_do_not_hide_that_the_data_is_there(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        workspace.execute("DROP VIEW signalwire_reports.backlog")
        workspace.execute("CREATE TABLE signalwire_reports.backlog (mine INTEGER)")
        space.clock.advance(3600)
        done = workspace.command("run", space=space)
        assert done.returncode == 1
        assert "what was loaded is in its tables" in done.stderr
        assert workspace.orders() == true_orders(space)
        assert workspace.rows("SELECT * FROM signalwire_reports.backlog") == []

    @pytest.mark.parametrize(
        ("hours", "main"), [("targets", "main_target"), ("sla_hours", "main_sla_hours")]
    )
    def test_targets_from_the_settings(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch,
        hours: str,
        main: str,
    ) -> None:
        monkeypatch.setenv(f"REPORTS__{hours.upper()}", "[2, 12.5]")
        monkeypatch.setenv(f"REPORTS__{main.upper()}", "12.5")
        any_workspace.run(space)
        rows = any_workspace.rows("SELECT * FROM signalwire_reports.target_attainment")
        assert [float(row["target_hours"]) for row in rows] == [2.0, 12.5]
        monkeypatch.setenv(f"REPORTS__{main.upper()}", "3")
        done = any_workspace.command("reports", "apply")
        assert done.returncode == 2
        assert f"reports.{main}" in done.stderr


class TestReport:
    """`signalwire-orders report`."""

    @pytest.fixture
    def loaded(self, space: SimulatedSpace, workspace: Workspace) -> Workspace:
        workspace.run(space)
        return workspace

    def test_the_summary(self, loaded: Workspace) -> None:
        done = loaded.command("report")
        assert done.returncode == 0, done.stderr
        lines = dict(line.split(None, 1) for line in done.stdout.splitlines())
        assert lines["orders"] == "48"
        assert set(lines) == {*REPORTS["processing_time_summary"].columns}

    def test_formats(self, loaded: Workspace) -> None:
        view = "processing_time_by_campaign"

        def output(name: str) -> str:
            done = loaded.command("report", view, "--format", name)
            assert done.returncode == 0, done.stderr
            return done.stdout

        rows = loaded.rows(f"SELECT * FROM signalwire_reports.{view}")
        as_json = json.loads(output("json"))
        assert as_json == [{**row} for row in rows]
        as_csv = [*csv.DictReader(io.StringIO(output("csv")))]
        assert [float(row["median_hours"]) for row in as_csv] == [r["median_hours"] for r in rows]
        assert [row["campaign_name"] for row in as_csv] == [row["campaign_name"] for row in rows]
        markdown = output("markdown").splitlines()
        assert markdown[0].split(" | ")[1] == "campaign_name"
        assert len(markdown) == 2 + len(rows)
        assert rows[0]["campaign_name"] in output("table")

    def test_narrowed(self, space: SimulatedSpace, loaded: Workspace) -> None:
        campaign_id = space.world.truth_campaigns()[0][1]["id"]
        options = ("--campaign", campaign_id, "--since", "2026-02-01", "--limit", "3")
        done = loaded.command("report", "order_processing", "--format", "json", *options)
        rows = json.loads(done.stdout)
        assert 0 < len(rows) <= 3
        assert {row["campaign_id"] for row in rows} == {campaign_id}
        assert all(row["created_at"] >= "2026-02-01" for row in rows)
        done = loaded.command("report", "data_as_of", "--campaign", campaign_id)
        assert done.returncode == 2
        assert "--campaign cannot narrow data_as_of" in done.stderr

    def test_of_a_brand_by_its_name(self, space: SimulatedSpace, loaded: Workspace) -> None:
        brand = space.world.truth_brands()[0]
        options = ("--brand", brand["name"].upper(), "--status", "processed", "--format", "json")
        done = loaded.command("report", "--until", "2026-03-01", *options)
        (row,) = json.loads(done.stdout)
        count = "SELECT count(*) AS n FROM signalwire.orders WHERE state = 'processed'"
        (every,) = loaded.rows(
            f"{count} AND brand_id = '{brand['id']}' AND created_at < '2026-03-01'"
        )
        assert (row["orders"], row["processed"]) == (every["n"], every["n"])

    def test_one_that_does_not_exist(self, loaded: Workspace) -> None:
        done = loaded.command("report", "sales")
        assert done.returncode == 2
        assert "choose from" in done.stderr

    @pytest.mark.parametrize("option", [("--since", "soon"), ("--limit", "-1")])
    def test_options_that_make_no_sense(self, workspace: Workspace, option: tuple[str]) -> None:
        assert workspace.command("report", *option).returncode == 2


class TestReports:
    """`signalwire-orders reports`."""

    def test_list(self, workspace: Workspace) -> None:
        done = workspace.command("reports", "list")
        assert done.returncode == 0, done.stderr
        assert all(name in done.stdout for name in REPORTS)

    @pytest.mark.parametrize("dialect", sorted(DIALECTS))
    def test_sql_says_what_is_known_of_a_dialect(self, workspace: Workspace, dialect: str) -> None:
        known = {
            "snowflake": "not on Snowflake itself",
            "bigquery": "not run on BigQuery, only parsed",
            "redshift": "not run on Redshift, only parsed",
        }.get(dialect)
        done = workspace.command("reports", "sql", "backlog", "--dialect", dialect)
        first, _, rest = done.stdout.partition("\n")
        if known:
            assert first.startswith("-- ")
            assert known.lower() in first.lower()
            assert rest.startswith("\n-- One row")
        else:
            assert first.startswith("-- One row")

    def test_sql_in_a_dialect(self, workspace: Workspace) -> None:
        done = workspace.command("reports", "sql", "--dialect", "snowflake", "--dataset", "prod")
        assert done.returncode == 0, done.stderr
        statements = [s for s in sqlglot.parse(done.stdout, read="snowflake") if s]
        assert len(statements) == len(REPORTS)
        assert "FROM prod.orders" in done.stdout

    def test_sql_of_one(self, workspace: Workspace) -> None:
        done = workspace.command("reports", "sql", "backlog")
        assert done.stdout.count("CREATE VIEW") == 1
        assert done.stderr == ""
        assert workspace.command("reports", "sql", "sales").returncode == 2
        assert workspace.command("reports", "sql", "--dialect", "cobol").returncode == 2

    def test_show_prints_what_report_prints(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        options = ("backlog", "--format", "csv", "--limit", "2")
        done = workspace.command("reports", "show", *options)
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 3
        assert done.stdout == workspace.command("report", *options).stdout

    @pytest.mark.parametrize("old", [(), ("backlog", "--dialect", "postgres")], ids=" ".join)
    def test_show_as_it_printed_sql_before_still_does_and_says_so(
        self, workspace: Workspace, old: tuple[str, ...]
    ) -> None:
        done = workspace.command("reports", "show", *old)
        assert done.returncode == 0
        assert done.stdout == workspace.command("reports", "sql", *old).stdout
        assert "signalwire-orders reports sql" in done.stderr


class TestCheck:
    """`signalwire-orders check` as an alarm."""

    @pytest.mark.proof
    def test_old_data_fails(self, space: SimulatedSpace, workspace: Workspace) -> None:
        assert workspace.command("check", "--max-age", "2h", space=space).returncode == 1
        workspace.run(space)
        done = workspace.command("check", "--max-age", "2h", space=space)
        assert done.returncode == 0, done.stdout
        workspace.execute("UPDATE signalwire.runs SET finished_at = finished_at - INTERVAL 3 HOUR")
        done = workspace.command("check", "--max-age", "2h", space=space)
        assert done.returncode == 1
        assert "FAIL  freshness" in done.stdout

    @pytest.mark.proof
    def test_stuck_orders_fail(self, space: SimulatedSpace, workspace: Workspace) -> None:
        campaign_id = space.world.truth_campaigns()[0][1]["id"]
        for _, _, record in space.world.truth_orders():
            space.world.update_order(record["id"], state="processed")
        space.world.add_order(campaign_id, state="pending")
        workspace.run(space)
        assert workspace.command("check", "--max-stuck", "0", space=space).returncode == 0
        space.clock.advance(100 * 24 * 3600)
        workspace.run(space)
        stuck: list[dict[str, Any]] = workspace.rows(
            "SELECT * FROM signalwire_reports.stuck_orders"
        )
        done = workspace.command("check", "--max-stuck", str(len(stuck)), space=space)
        assert done.returncode == 0, done.stdout
        done = workspace.command("check", "--max-stuck", str(len(stuck) - 1), space=space)
        assert done.returncode == 1
        assert "FAIL  stuck" in done.stdout

    def test_a_duration_that_is_none(self, workspace: Workspace) -> None:
        assert workspace.command("check", "--max-age", "soon").returncode == 2


def test_times_are_in_utc_whatever_the_readers_zone(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    done = workspace.command("report", "data_as_of", "--format", "json", TZ="Asia/Tokyo")
    (row,) = json.loads(done.stdout)
    moment = datetime.fromisoformat(row["as_of"].replace("Z", "+00:00"))
    assert moment.tzinfo == timezone.utc
    assert abs((moment - space.clock.now()).total_seconds()) < 60


def test_a_narrow_terminal_leaves_less_important_columns_out_and_says_so(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    done = workspace.command("report", "processing_time_by_use_case", COLUMNS="100")
    header, *rows, note = done.stdout.splitlines()
    shown = header.split()
    assert shown[0] == "use_case"
    assert "median_hours_all" in shown
    assert all(len(row) <= 100 for row in rows)
    left_out = note.removeprefix("left out: ").partition(" (")[0].split(", ")
    assert {*shown, *left_out} == {*REPORTS["processing_time_by_use_case"].columns}


@pytest.mark.proof
def test_a_report_that_a_setting_fills_says_so_while_it_is_empty(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    for name in ("numbers_by_campaign", "numbers_time_to_usable", "failed_numbers"):
        shown = workspace.command("report", name)
        assert f"{name} has no rows: it is empty unless runs load number" in shown.stderr
        assert len(shown.stdout.splitlines()) == 1
    workspace.run(space, number_assignments="auto")
    shown = workspace.command("report", "numbers_by_campaign", "--format", "json")
    assert shown.stderr == ""
    assert sum(r["numbers"] for r in json.loads(shown.stdout)) == len(space.world.truth_numbers())
    numbers = workspace.qualified("number_assignments")
    workspace.execute(f"UPDATE {numbers} SET state = 'completed'")
    shown = workspace.command("report", "failed_numbers", "--format", "csv")
    assert (len(shown.stdout.splitlines()), shown.stderr) == (1, "")
