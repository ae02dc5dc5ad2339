"""Fixtures: a Superset, and a space's orders in a published DuckDB file and in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from server import Superset, running_superset
from support import Workspace
from support.chromium import MISSING, find
from support.pages import Browser
from support.postgres_server import PostgresServer

from sources.simulator import SimulatedSpace

pytest_plugins = ["support.fixtures"]


class Loaded(NamedTuple):
    """Orders in a database: the folder they were loaded from, and a published copy of them."""

    workspace: Workspace
    copy: Path
    space: SimulatedSpace

    def publish(self) -> None:
        """Loads what is new, and puts another copy in the place of the one before."""
        done = self.workspace.command(
            "run", "--publish", str(self.copy), space=self.space,
            SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS="true",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def bundle(self, **settings: str) -> Path:
        """The bundle: of the copy for DuckDB, of the server for PostgreSQL."""
        copy = ("--database-uri", f"duckdb:///{self.copy}")
        where = copy if self.workspace.destination == "duckdb" else ()
        done = self.workspace.command("bi", "superset", "orders.zip", *where, **settings)
        assert done.returncode == 0, done.stderr
        return self.workspace.folder / "orders.zip"

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query over the reports in the copy returns."""
        with duckdb.connect(str(self.copy), read_only=True) as connection:
            connection.execute("SET search_path = 'signalwire_reports'; SET TimeZone = 'UTC'")
            found = connection.execute(sql)
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="session")
def databases(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Loaded]]:
    """Orders of the last months in both: Superset's "last 30 days" end today."""
    folder = tmp_path_factory.mktemp
    with SimulatedSpace(brands=4, campaigns=4, orders=150, numbers=20, slower_campaigns=4) as space:
        found = {}
        for workspace in (
            Workspace(folder("duckdb")), Workspace(folder("postgres"), postgres.new_database())
        ):  # fmt: skip
            loaded = Loaded(workspace, workspace.folder / "bi.duckdb", space)
            loaded.publish()
            found[workspace.destination] = loaded
        yield found


@pytest.fixture(scope="session")
def superset(
    postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Superset]:
    with running_superset(tmp_path_factory.mktemp("superset"), postgres.new_database()) as found:
        yield found


@pytest.fixture(scope="session")
def dashboards(superset: Superset, databases: dict[str, Loaded]) -> dict[str, int]:
    """The imported dashboards' ids by the database that they read."""
    # the PostgreSQL server lets everybody in, but Superset wants an answer for a masked password
    passwords = {"duckdb": None, "postgres": "none"}
    return {
        name: superset.import_dashboard(loaded.bundle(), passwords[name])
        for name, loaded in databases.items()
    }


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = find()
    assert program, MISSING
    browser = Browser(program)
    yield browser
    browser.close()
