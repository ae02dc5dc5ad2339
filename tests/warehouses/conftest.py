"""Fixtures: orders with every oddity that reports know, in DuckDB, as files, and in PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import ROOT, Workspace

from sources.simulator import SimulatedSpace

pytest_plugins = ["support.fixtures"]

PROGRAMS = ROOT / ".venv-warehouses" / "bin"
REPORTS = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'signalwire_reports'"
# not of the year 1, as elsewhere: ClickHouse has no times before 1900 or after 2299
ODDITIES = (
    "created_at = TIMESTAMPTZ '1950-01-01 00:00:00+00'",
    "created_at = TIMESTAMPTZ '2200-01-01 00:00:00+00'",
    "created_at = NULL",
    "updated_at = NULL",
    "state = 'processed', processed_at = NULL",
    "state = 'processed', processed_at = created_at - INTERVAL 1 HOUR",
    "state = 'processed', processed_at = TIMESTAMPTZ '2200-01-01 00:00:00+00'",
    "state = 'processed', processed_at = created_at",
    "state = 'strange'",
    "state = NULL",
    "state = 'failed', processed_at = NULL",
    "state = 'pending', processed_at = NULL, deleted_at = created_at + INTERVAL 2 HOUR",
    "state = 'pending', processed_at = NULL",
    "campaign_id = 'of no campaign'",
)
PROMISES = [
    {"hours": 20, "since": "2026-02-01"},
    {"hours": 4, "use_case": "2fa", "name": "it's {FROM orders}"},
    {"hours": 1.5, "use_case": "2FA", "since": "2026-03-01"},
]
# one campaign takes much longer of late
SLOWER = """
UPDATE signalwire.orders SET processed_at = processed_at + INTERVAL 9 DAY
WHERE state = 'processed' AND created_at > (SELECT max(created_at) FROM signalwire.orders)
    - INTERVAL 28 DAY AND campaign_id = (SELECT min(campaign_id) FROM signalwire.orders)"""


class Truth:
    """A published copy: its tables as files, and the rows of its reports."""

    def __init__(self, copy: Path, tables: Path) -> None:
        self.copy = copy
        self.tables = tables

    def reports(self) -> list[str]:
        return sorted(name for (name,) in self._query(REPORTS))

    def columns(self, report: str) -> dict[str, str]:
        found = self._query(f"DESCRIBE signalwire_reports.{report}")
        return {row[0]: row[1] for row in found}

    def rows(self, report: str) -> list[tuple[Any, ...]]:
        return self._query(f"SELECT * FROM signalwire_reports.{report}")

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.copy), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            return connection.execute(sql).fetchall()


@pytest.fixture
def space() -> Iterator[SimulatedSpace]:
    """A small one, for what one destination has alone."""
    with SimulatedSpace(brands=1, campaigns=2, orders=12) as space:
        yield space


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Orders that changed over two runs, with each oddity in some of them."""
    workspace = Workspace(tmp_path_factory.mktemp("loaded"))
    workspace.environment["SOURCES__SIGNALWIRE__NUMBER_ASSIGNMENTS"] = "true"
    workspace.environment["REPORTS__SLA"] = json.dumps(PROMISES)
    with SimulatedSpace(
        brands=3, campaigns=3, orders=150, numbers=90, campaigns_per_month=40
    ) as space:
        number = space.world.truth_numbers()[0][2]["id"]
        for state in ("failed", "pending", "completed"):
            space.world.update_number(number, state=state)
            done = workspace.command("run", space=space)
            assert done.returncode == 0, done.stderr
            space.clock.advance(2 * 86_400)
    workspace.execute(SLOWER)
    workspace.execute("SET TimeZone = 'UTC'; " + "; ".join(
        f"UPDATE signalwire.orders SET {oddity} WHERE id IN (SELECT id FROM signalwire.orders"
        f" ORDER BY id LIMIT 3 OFFSET {3 * number})"
        for number, oddity in enumerate(ODDITIES)
    ))  # fmt: skip
    return workspace


@pytest.fixture(scope="session")
def truth(loaded: Workspace) -> Truth:
    for place in ("copy.duckdb", "exports"):
        done = loaded.command("publish", place)
        assert done.returncode == 0, done.stderr
    return Truth(loaded.folder / "copy.duckdb", loaded.folder / "exports")


def run(program: str, *arguments: Any, folder: Path, **environment: str) -> str:
    """What a program of the warehouses' environment prints; it has to end well."""
    done = subprocess.run(
        [PROGRAMS / program, *arguments],
        cwd=folder,
        env=os.environ | {"TZ": "UTC", "SPARK_LOCAL_IP": "127.0.0.1"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
    return done.stdout
