"""The dbt package, built on DuckDB and PostgreSQL: its tests pass, its numbers are the views'."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path

import duckdb
import psycopg2
import pytest
import yaml
from comparison import assert_same
from conftest import Truth, run
from support import Workspace
from support.postgres_server import PostgresServer

from sources.simulator import SimulatedSpace

SCHEMA = "dbt_reports"


def build(package: Path, output: dict[str, object]) -> None:
    """`dbt build` with a profile for one database; fails if a model or a test does."""
    shared = {"schema": SCHEMA, "threads": 2}
    profile = {"signalwire_orders": {"target": "it", "outputs": {"it": output | shared}}}
    (package / "profiles.yml").write_text(yaml.safe_dump(profile))
    run(
        "dbt", "build", "--profiles-dir", package, folder=package,
        DBT_SEND_ANONYMOUS_USAGE_STATS="false",
    )  # fmt: skip


def write(workspace: Workspace, *options: str) -> Path:
    done = workspace.command("reports", "dbt", "package", *options)
    assert done.returncode == 0, done.stderr
    return workspace.folder / "package"


def test_on_duckdb(loaded: Workspace, truth: Truth, tmp_path: Path) -> None:
    database = tmp_path / "orders.duckdb"
    shutil.copy(truth.copy, database)
    build(write(loaded), {"type": "duckdb", "path": str(database)})
    with duckdb.connect(str(database), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for report in truth.reports():
            found = connection.execute(f"SELECT * FROM {SCHEMA}.{report}").fetchall()
            assert_same(report, truth.columns(report), found, truth.rows(report))


def test_a_test_of_the_package_fails_where_a_number_is_wrong(
    loaded: Workspace, truth: Truth, tmp_path: Path
) -> None:
    database = tmp_path / "orders.duckdb"
    shutil.copy(truth.copy, database)
    with duckdb.connect(str(database)) as connection:
        connection.execute("INSERT INTO signalwire.orders FROM signalwire.orders LIMIT 1")
    package = write(loaded)
    with pytest.raises(AssertionError, match="source_unique_signalwire_orders_orders_id"):
        build(package, {"type": "duckdb", "path": str(database)})


def test_on_postgres(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    workspace = Workspace(tmp_path, url).prepared(monkeypatch)
    with SimulatedSpace(brands=3, campaigns=3, orders=100) as space:
        done = workspace.command("run", "--publish", "copy.duckdb", space=space)
        assert done.returncode == 0, done.stderr
    truth = Truth(tmp_path / "copy.duckdb", tmp_path)
    server = {"type": "postgres", "host": "127.0.0.1", "port": postgres.port, "user": "postgres"}
    login = {"password": "none", "dbname": url.rpartition("/")[2]}
    build(write(workspace, "--dialect", "postgres"), server | login)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        for report in truth.reports():
            columns = truth.columns(report)
            names = ", ".join(f'"{name}"' for name in columns)
            cursor.execute(f"SELECT {names} FROM {SCHEMA}.{report}")
            assert_same(report, columns, cursor.fetchall(), truth.rows(report))
