"""Copies for other programs hold what the database holds."""

from __future__ import annotations

import re

import duckdb
import pytest
from support import ROOT, Workspace, true_orders
from support.old_duckdb import VERSIONS, ask_old_duckdb
from support.published import (
    DAY,
    PLACES,
    assert_is_a_copy,
    copied,
    sources,
)

from pipelines.publishing.snapshot import MARK, MARK_COLUMNS
from pipelines.reporting.catalog import configured_reports
from sources.signalwire.records.schema import TABLES
from sources.simulator import Fault, SimulatedSpace


class TestContent:
    @pytest.mark.parametrize("name", PLACES)
    def test_is_what_the_database_holds(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        """With deleted orders, a field that came later, records that are refused, and failures."""
        place = any_workspace.folder / name
        any_workspace.run(space, resources=["brands", "campaigns", "orders", "number_assignments"])
        (_, campaign, record), *_ = space.world.truth_orders()
        space.world.remove_order(record["id"])
        space.world.add_order(campaign, carrier_note="it's late")
        space.world.insert_raw(campaign, {"state": "pending"})
        space.clock.advance(2 * DAY)
        failing = next(c for _, c, _ in space.world.truth_orders() if c != campaign)
        space.faults.add(Fault(f"/campaigns/{failing}/orders", "respond", status=404))
        result = any_workspace.run(space, publish=place, include_sensitive=True)
        assert result.stats.failures
        assert_is_a_copy(place, any_workspace)
        tables = sources(place)["tables"]
        for table in ("number_assignments", "rejected", "campaign_failures"):
            assert copied(place, tables[table]), table
        assert {"deleted_at", "carrier_note"} <= copied(place, tables["orders"])[0].keys()
        assert "ein" in copied(place, tables["brands"])[0]

    @pytest.mark.proof
    def test_rows_come_in_many_pieces(
        self, space: SimulatedSpace, any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipelines.destinations.rows.ROWS_AT_ONCE", 7)
        any_workspace.run(space, publish=any_workspace.folder / "bi.duckdb")
        assert_is_a_copy(any_workspace.folder / "bi.duckdb", any_workspace)

    @pytest.mark.parametrize("name", PLACES)
    def test_tables_that_are_not_there_yet_are_empty(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        """Nor have there to be views: the reports are computed in the copy."""
        monkeypatch.setenv("REPORTS__APPLY", "false")
        place = any_workspace.folder / name
        any_workspace.run(space, resources=["brands"], publish=place)
        found = sources(place)
        assert found["tables"].keys() == TABLES.keys() | {MARK}
        assert len(copied(place, found["tables"]["brands"])) == 2
        assert copied(place, found["tables"]["orders"]) == []
        assert copied(place, found["reports"]["order_processing"]) == []

    def test_says_what_everything_is(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space, publish=workspace.folder / "bi.duckdb")
        with duckdb.connect(str(workspace.folder / "bi.duckdb"), read_only=True) as copy:
            rows = copy.execute(
                "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
            tables = dict(
                copy.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
            )
        expected = {MARK: MARK_COLUMNS}
        expected |= {name: dict(r.columns) for name, r in configured_reports().items()}
        for name in TABLES:
            expected[name] = {c.name: c.description for c in TABLES[name].columns()}
        found: dict[str, dict[str, str]] = {name: {} for name in tables}
        for table, column, comment in rows:
            found[table][column] = comment
        assert found == expected
        assert tables["orders"] == TABLES["orders"].description
        assert tables["backlog"] == configured_reports()["backlog"].grain

    @pytest.mark.proof
    @pytest.mark.parametrize("version", VERSIONS)
    def test_old_duckdbs_read_it(
        self, space: SimulatedSpace, workspace: Workspace, version: str
    ) -> None:
        self.read_by(version, space, workspace)

    @pytest.mark.proof
    def test_the_oldest_reads_what_is_from_postgres(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        self.read_by(VERSIONS[0], space, postgres_workspace)

    def read_by(self, version: str, space: SimulatedSpace, workspace: Workspace) -> None:
        """Every value of every table and report, as text."""
        place = workspace.folder / "bi.duckdb"
        workspace.run(space, publish=place)
        names = [name for kind in sources(place).values() for name in kind.values()]
        queries = [f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {name} ORDER BY ALL" for name in names]
        with duckdb.connect(str(place), read_only=True) as copy:
            copy.execute("SET TimeZone = 'UTC'")
            expected = [copy.execute(query).fetchall() for query in queries]
        assert f"{true_orders(space)[0]['created_at']:%F %T}" in str(expected)
        assert ask_old_duckdb(version, place, queries) == (version, expected)

    @pytest.mark.proof
    def test_the_questions_in_the_docs_have_answers(
        self, space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in PLACES:
            workspace.run(space, publish=workspace.folder / name)
        text = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
        with duckdb.connect(str(workspace.folder / "bi.duckdb"), read_only=True) as copy:
            questions = re.findall(r"```sql\n(.*?)```|`(SELECT .*?)`", text, re.DOTALL)
            assert len(questions) == 4
            for block, line in questions:
                assert copy.execute(block or line).fetchall()
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        monkeypatch.chdir(workspace.folder)
        exec(compile(code, "bi.md", "exec"), {})  # noqa: S102 - it is our own
