"""Commands without the packages of an extra: each works, or says what to install."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import Workspace

from sources.simulator import SimulatedSpace

# what no extra-less installation has
ABSENT = [
    "aiohttp",
    "psycopg2",
    "adbc_driver_manager",
    "adbc_driver_postgresql",
    "sqlalchemy",
    "snowflake",
    "deltalake",
    "airflow",
    "apprise",
    "numpy",
    "pandas",
    "scipy",
    "hypothesis",
    "pytest",
]
HOOK = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def bare(
    tmp_path_factory: pytest.TempPathFactory,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> Workspace:
    """A folder whose commands find no package of an extra."""
    folder: Path = tmp_path_factory.mktemp("site")
    (folder / "sitecustomize.py").write_text(HOOK)
    monkeypatch.setenv("PYTHONPATH", str(folder), prepend=":")
    return workspace


@pytest.mark.parametrize("command", [("demo",), ("simulate",)], ids=" ".join)
def test_what_needs_the_simulated_space_says_so(bare: Workspace, command: tuple[str, ...]) -> None:
    done = bare.command(*command)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "aiohttp is not installed" in line
    assert "pip install 'signalwire-orders[simulator]'" in line
    assert not (bare.folder / "signalwire_orders_demo").exists()
    assert bare.command("simulate", "--help").returncode == 0


@pytest.mark.parametrize("command", [("run",), ("check",), ("query", "SELECT 1"), ("report",)])
@pytest.mark.parametrize(
    ("destination", "package"),
    [
        ("postgres", "signalwire-orders[postgres]"),
        ("sqlalchemy", "dlt[sqlalchemy]>=1.31,<2"),
        ("snowflake", "signalwire-orders[snowflake]"),
        ("filesystem", "signalwire-orders[delta]"),
    ],
)
def test_a_destination_that_needs_packages_says_so(
    space: SimulatedSpace,
    bare: Workspace,
    command: tuple[str, ...],
    destination: str,
    package: str,
) -> None:
    done = bare.command(
        *command,
        *("--destination", destination),
        space=space,
        DESTINATION__POSTGRES__CREDENTIALS="postgresql://me:secret@127.0.0.1:1/orders",
        DESTINATION__SQLALCHEMY__CREDENTIALS=f"sqlite:///{bare.folder}/orders.sqlite",
        DESTINATION__SNOWFLAKE__CREDENTIALS="snowflake://me:secret@account/orders",
        DESTINATION__FILESYSTEM__BUCKET_URL=str(bare.folder / "lake"),
    )
    assert done.returncode == 2, done.stderr
    assert f"pip install '{package}'" in done.stderr
    assert "Traceback" not in done.stderr
    assert space.journal.requests == 0


@pytest.mark.parametrize("command", [("run",), ("check",), ("notify", "--test")], ids=" ".join)
def test_messages_that_need_a_package_say_so(
    space: SimulatedSpace, bare: Workspace, command: tuple[str, ...]
) -> None:
    done = bare.command(*command, space=space, NOTIFY__URLS="json://127.0.0.1:1/secret")
    assert (done.returncode, space.journal.requests) == (2, 0)
    assert "notify.urls is set, but apprise is not installed" in done.stderr
    assert "pip install 'signalwire-orders[notify]'" in done.stderr
    assert "secret" not in done.stderr


@pytest.mark.proof
def test_all_the_rest_works(space: SimulatedSpace, bare: Workspace) -> None:
    done = bare.command("run", "--json", "--publish", "copy.duckdb", space=space)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["orders_loaded"] == 48
    for command in (
        ("run", "--publish", "folder", "--metrics-file", "orders.prom"),
        ("check",),
        ("report",),
        ("reports", "show", "--dialect", "snowflake"),
        ("reports", "apply"),
        ("dashboard",),
        ("bi", "superset", "orders.zip", "--database-uri", "duckdb:///copy.duckdb"),
        ("query", "SELECT * FROM orders"),
        ("publish", "copy.duckdb"),
    ):
        done = bare.command(*command, space=space)
        assert done.returncode == 0, done.stderr
