"""One name for a dataset, everywhere, and names that are clear wherever the file is called so."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from dlt.common.destination import DestinationCapabilitiesContext
from support import UNPRIVILEGED, Workspace, true_orders

from pipelines.destinations.base import Destination
from pipelines.destinations.duckdb import DuckDB
from pipelines.destinations.naming import Schemas, catalog_of
from pipelines.destinations.rows import shown_names
from pipelines.reporting.catalog import configured_reports
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

# what the space of the tests has
CAMPAIGNS, ORDERS = 4, 48
REPORTS = len(configured_reports())


@pytest.mark.proof
class TestOneName:
    """What dlt makes of a dataset's name is its name everywhere."""

    @pytest.mark.parametrize(
        ("given", "name"), [("SignalWire", "signal_wire"), ("my-data", "my_data"), ("a b", "a_b")]
    )
    def test_of_tables_views_copies_and_messages(
        self, space: SimulatedSpace, any_workspace: Workspace, given: str, name: str
    ) -> None:
        workspace = any_workspace
        done = workspace.command(
            "run", "--dataset", given, "--publish", "copy.duckdb", "--metrics-file", "m.prom",
            space=space,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert f"dataset {name}" in done.stdout
        assert f"the dataset {given} is called {name} there" in done.stderr
        assert f"signalwire_orders_orders {ORDERS}.0" in (workspace.folder / "m.prom").read_text()
        schemas = workspace.command(
            "query", "SELECT schema_name FROM information_schema.schemata", "--dataset", name
        ).stdout.split()
        assert {f"{name}_reports", name} <= {*schemas}
        assert given not in schemas
        with closing(duckdb.connect(str(workspace.folder / "copy.duckdb"))) as copy:
            for table in ("orders", "campaigns"):
                there = copy.execute(f"SELECT count(*) FROM {name}.{table}").fetchall()
                assert there == [(ORDERS if table == "orders" else CAMPAIGNS,)]
            assert copy.execute(f"SELECT count(*) FROM {name}_reports.order_processing").fetchall()
        for arguments in (
            ("report", "--dataset", given),
            ("check", "--dataset", given),
            ("dashboard", "--dataset", name, "--out", "page.html"),
            ("query", "--dataset", given, "SELECT count(*) FROM orders"),
            ("publish", "copy.duckdb", "--dataset", name),
            ("reports", "apply", "--dataset", given),
        ):
            done = workspace.command(*arguments, space=space)
            assert done.returncode == 0, (arguments, done.stderr)
        assert name in (workspace.folder / "page.html").read_text()
        shown = workspace.command("reports", "sql", "backlog", "--dataset", given).stdout
        assert f"CREATE VIEW {name}_reports.backlog" in shown

    def test_meets_other_spellings_at_one_lock(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        from pipelines.destinations.lock import exclusive
        from pipelines.destinations.resolve import find_target

        with exclusive(find_target(dataset="MyData"), 0):
            done = any_workspace.command("run", "--dataset", "my_data", space=space)
        assert done.returncode == 4


# a file's name, the dataset, and what is ambiguous in it
AMBIGUOUS = [
    ("signalwire.duckdb", "signalwire"),
    ("SignalWire.db", "signalwire"),
    ("signalwire.orders.duckdb", "signalwire"),
    ("signalwire_reports.duckdb", "signalwire"),
    ("signalwire_staging.duckdb", "signalwire"),
    ("signalwire_orders.duckdb", "signalwire_orders"),
    ("main.duckdb", "main_db"),
]
UNUSUAL = [("x.duckdb", name) for name in ("select", "main", "memory", "order")]


def proved(params: list[tuple[str, str]]) -> list[Any]:
    """The first of these for every time, the others for `make proof`."""
    return [params[0], *(pytest.param(*others, marks=pytest.mark.proof) for others in params[1:])]


@pytest.mark.proof
@pytest.mark.parametrize(("file", "dataset"), [*proved(AMBIGUOUS), *proved(UNUSUAL)])
def test_a_file_may_be_called_like_its_dataset(
    space: SimulatedSpace, workspace: Workspace, file: str, dataset: str
) -> None:
    """Loads, changes, reports, a dashboard and copies, all in processes of their own."""
    workspace.environment["DESTINATION__DUCKDB__CREDENTIALS"] = file
    workspace.environment["PIPELINES__SIGNALWIRE_ORDERS__DATASET_NAME"] = dataset
    for mode in ((), ("--full",), ("--publish", "elsewhere.duckdb")):
        space.clock.advance(3600)
        done = workspace.command("run", *mode, space=space)
        assert done.returncode == 0, done.stderr
    counted = workspace.command("query", "SELECT 'n' || count(*) FROM orders").stdout
    assert f"n{ORDERS}" in counted
    for arguments in (
        ("report", "order_processing", "--format", "csv"),
        ("check",),
        ("dashboard",),
        ("reports", "apply"),
        ("publish", "exports"),
    ):
        done = workspace.command(*arguments, space=space)
        assert done.returncode == 0, (arguments, done.stderr)
        if arguments[0] == "report":
            assert len(done.stdout.splitlines()) == 1 + ORDERS
    with closing(duckdb.connect(str(workspace.folder / "elsewhere.duckdb"))) as copy:
        (count,) = copy.execute(f'SELECT count(*) FROM "{dataset}".orders').fetchone() or (0,)
    assert count == ORDERS
    with closing(duckdb.connect(str(workspace.folder / file), read_only=True)) as connection:
        (views,) = connection.execute(
            "SELECT count(*) FROM duckdb_views() WHERE schema_name = ?", [f"{dataset}_reports"]
        ).fetchone() or (0,)
    assert views == REPORTS + 1


class TestRefusal:
    """What cannot work is refused before anything is read."""

    @pytest.mark.parametrize("dataset", ["temp", "system", "information_schema", "pg_catalog"])
    def test_of_names_that_duckdb_keeps(
        self, space: SimulatedSpace, workspace: Workspace, dataset: str
    ) -> None:
        space.journal.clear()
        done = workspace.command("run", "--dataset", dataset, space=space)
        assert (done.returncode, space.journal.requests) == (2, 0)
        assert f"dataset {dataset}: duckdb keeps that name for itself" in done.stderr
        assert not workspace.database.exists()

    @pytest.mark.parametrize("dataset", ["pg_orders", "information_schema", "o" * 56])
    def test_of_names_that_postgres_keeps_or_cuts(
        self, space: SimulatedSpace, postgres_workspace: Workspace, dataset: str
    ) -> None:
        space.journal.clear()
        done = postgres_workspace.command("run", "--dataset", dataset, space=space)
        assert (done.returncode, space.journal.requests) == (2, 0)
        assert f"dataset {dataset}: the name" in done.stderr or "keeps that name" in done.stderr

    @pytest.mark.proof
    def test_the_longest_name_that_postgres_takes_works(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        for _ in range(2):
            done = postgres_workspace.command("run", "--dataset", "o" * 55, space=space)
            assert done.returncode == 0, done.stderr
        assert postgres_workspace.command("report", "--dataset", "o" * 55).returncode == 0

    @pytest.mark.parametrize(
        "name", ["signalwire.duckdb", "SIGNALWIRE_REPORTS.db", "signalwire.x.db"]
    )
    def test_of_a_copy_whose_readers_could_not_name_its_tables(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        space.journal.clear()
        done = any_workspace.command("run", "--publish", name, space=space)
        assert (done.returncode, space.journal.requests) == (2, 0)
        assert "readers of" in done.stderr
        assert not (any_workspace.folder / name).exists()

    def test_is_of_folded_names_too(self) -> None:
        capabilities = DestinationCapabilitiesContext.generic_capabilities()
        with pytest.raises(ConfigurationError):
            DuckDB.check_dataset("duckdb", "TEMP", capabilities)


@pytest.mark.parametrize(
    "name",
    ["a.duckdb", "a.b c.duckdb", ".hidden.duckdb", "..a", "x.", "main.duckdb", "MAIN", "temp.db",
     "system", "a?b.duckdb", "a#b.db", ".duckdb", "ä.duckdb", "a'b.duckdb", "memory.duckdb"],
)  # fmt: skip
def test_a_files_catalog_is_what_duckdb_calls_it(tmp_path: Path, name: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / name)
    with closing(duckdb.connect(str(tmp_path / name))) as connection:
        (catalog,) = connection.execute("SELECT current_database()").fetchone() or ("",)
    assert catalog_of(tmp_path / name) == catalog
    assert catalog_of(tmp_path / "link") == catalog


@pytest.mark.proof
class TestOneFile:
    """Runs that reach one DuckDB file by different paths meet at one lock."""

    @pytest.mark.parametrize("way", ["symbolic", "folder", "dots", "hard"])
    def test_two_paths_are_one_place(
        self, space: SimulatedSpace, workspace: Workspace, way: str
    ) -> None:
        from pipelines.destinations.lock import exclusive
        from pipelines.destinations.resolve import find_target

        workspace.run(space)
        other = workspace.folder / "other" / "db.duckdb"
        other.parent.mkdir()
        if way == "symbolic":
            other.symlink_to(workspace.database)
        elif way == "folder":
            (workspace.folder / "linked").symlink_to(workspace.folder)
            other = workspace.folder / "linked" / workspace.database.name
        elif way == "dots":
            other = other.parent / ".." / workspace.database.name
        else:
            os.link(workspace.database, other)
        elsewhere = {"DESTINATION__DUCKDB__CREDENTIALS": str(other)}
        with exclusive(find_target(), 0):
            done = workspace.command("run", space=space, **elsewhere)
        assert done.returncode == 4, done.stderr
        done = workspace.command("run", space=space, **elsewhere)
        assert done.returncode == 0, done.stderr


class TestReading:
    """Commands that read change nothing, and need no right to."""

    @pytest.mark.parametrize("sql", ["DELETE FROM orders", "CREATE TABLE mine AS SELECT 1"])
    def test_a_query_cannot_write(
        self, space: SimulatedSpace, any_workspace: Workspace, sql: str
    ) -> None:
        any_workspace.run(space)
        done = any_workspace.command("query", sql)
        assert done.returncode == 2
        assert "read" in done.stderr
        assert len(any_workspace.orders()) == ORDERS

    def test_a_query_cannot_write_into_sqlite(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "sqlalchemy",
            "DESTINATION__SQLALCHEMY__CREDENTIALS": f"sqlite:///{workspace.folder}/x.sqlite",
        }
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.command("query", "DELETE FROM orders").returncode == 2
        counted = workspace.command("query", "SELECT 'n' || count(*) FROM orders").stdout
        assert f"n{ORDERS}" in counted

    @pytest.mark.proof
    def test_a_folder_one_may_only_read_can_be_read_and_published_from(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        kept = workspace.folder / "kept"
        kept.mkdir()
        workspace.database.rename(kept / workspace.database.name)
        (kept / workspace.database.name).chmod(0o444)
        kept.chmod(0o555)
        out = workspace.folder / "out"
        out.mkdir()
        environment = workspace.environment | {
            "DESTINATION__DUCKDB__CREDENTIALS": str(kept / workspace.database.name)
        }
        for arguments in (
            ("report",),
            ("query", "SELECT count(*) FROM orders"),
            ("dashboard", "--out", str(out / "page.html")),
            ("publish", str(out / "copy.duckdb")),
        ):
            done = subprocess.run(
                [*UNPRIVILEGED, sys.executable, "-m", "pipelines", *arguments],
                env=os.environ | environment,
                cwd=out,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (arguments, done.stderr)
        assert {path.name for path in kept.iterdir()} == {workspace.database.name}

    @pytest.mark.parametrize("file", ["missing/x.duckdb", "signalwire_orders.duckdb"])
    def test_a_check_looks_for_the_folder(
        self, space: SimulatedSpace, workspace: Workspace, file: str
    ) -> None:
        place = {"DESTINATION__DUCKDB__CREDENTIALS": str(workspace.folder / file)}
        done = workspace.command("check", space=space, **place)
        missing = file.startswith("missing")
        assert done.returncode == (1 if missing else 0)
        assert ("there is no folder" in done.stdout) is missing


@pytest.mark.proof
def test_a_users_column_may_differ_from_ours_in_case_only(
    space: SimulatedSpace, postgres_workspace: Workspace
) -> None:
    postgres_workspace.run(space)
    for table in ("orders", "campaigns"):
        postgres_workspace.execute(f'ALTER TABLE signalwire.{table} ADD "State" text')
    space.clock.advance(86_400)
    postgres_workspace.run(space, full=True)
    rows = postgres_workspace.orders()
    assert {row.pop("State") for row in rows} == {None}
    assert rows == true_orders(space)


class TestUpperCase:
    """Destinations that fold names to upper case, as Snowflake does; none of them runs here."""

    def test_statements_shown_for_them_are_in_their_case(self, workspace: Workspace) -> None:
        shown = workspace.command(
            "reports", "sql", "backlog", "--dataset", "select", "--dialect", "snowflake"
        ).stdout
        # a reserved word needs quotes, and in quotes only the folded name is the schema's
        assert "CREATE VIEW select_reports.backlog" in shown
        shown = workspace.command(
            "reports", "show", "order_processing", "--dataset", "select", "--dialect", "snowflake"
        ).stdout
        assert '"SELECT".orders' in shown

    def test_names_of_columns_are_shown_in_lower_case_but_for_the_users_own(self) -> None:
        client = SimpleNamespace(capabilities=DestinationCapabilitiesContext())
        client.capabilities.casefold_identifier = str.upper
        cursor = SimpleNamespace(description=[("ORDER_ID",), ("Mixed",), ("lower",)])
        assert shown_names(client, cursor) == ["order_id", "Mixed", "lower"]
        client.capabilities.casefold_identifier = str.lower
        assert shown_names(client, cursor) == ["ORDER_ID", "Mixed", "lower"]

    def test_schemas_of_statements_are_folded_before_they_are_quoted(self) -> None:
        capabilities = DestinationCapabilitiesContext()
        capabilities.casefold_identifier = str.upper
        client = SimpleNamespace(capabilities=capabilities)
        probe: Any = None
        target = Destination("snowflake", "", "", "signal_wire", "signal_wire", probe)
        assert target.schemas(client) == Schemas('"SIGNAL_WIRE"', '"SIGNAL_WIRE_REPORTS"', None)
