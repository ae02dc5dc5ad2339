"""What dlt is given and what it keeps: the catalogue, the state, interrupted runs, memory."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from support import Workspace, true_orders
from support.at_call import kill, terminate
from support.processes import on_a_terminal

from pipelines.destinations.resolve import find_target
from sources.signalwire import signalwire
from sources.signalwire.records.schema import TABLES
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]


def test_every_table_and_column_is_described(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space, number_assignments=True, include_sensitive=True)
    pipeline = find_target().open_pipeline()
    pipeline.sync_destination()
    schema = pipeline.default_schema
    for name in TABLES:
        table = schema.tables[name]
        assert table["description"]
        undescribed = [c for c, column in table["columns"].items() if not column.get("description")]
        assert undescribed == []


def test_arrow_and_hints_agree(
    space: SimulatedSpace, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    workspace.run(space, number_assignments=True, include_sensitive=True)
    assert "hints were different" not in capfd.readouterr().err


def test_column_types(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    types = {
        row["column_name"]: row["data_type"]
        for row in workspace.rows("SELECT * FROM duckdb_columns() WHERE table_name = 'orders'")
    }
    assert types == {
        "id": "VARCHAR",
        "campaign_id": "VARCHAR",
        "brand_id": "VARCHAR",
        "state": "VARCHAR",
        "processed_at": "TIMESTAMP WITH TIME ZONE",
        "created_at": "TIMESTAMP WITH TIME ZONE",
        "updated_at": "TIMESTAMP WITH TIME ZONE",
        "status_callback_url": "VARCHAR",
        "read_at": "TIMESTAMP WITH TIME ZONE",
        "deleted_at": "TIMESTAMP WITH TIME ZONE",
        "_dlt_load_id": "VARCHAR",
    }


def test_a_row_leads_to_its_load(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    sql = "SELECT count(*) AS n FROM orders JOIN _dlt_loads l ON l.load_id = _dlt_load_id"
    assert workspace.rows(sql) == [{"n": 48}]


def test_a_run_without_changes_writes_no_state(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    before = workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state")
    space.clock.advance(1)
    result = workspace.run(space)
    assert result.stats.counts()["orders_loaded"] == 0
    assert workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state") == before


def test_a_lost_working_directory_costs_nothing(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.run(space)
    monkeypatch.setenv("DLT_DATA_DIR", str(workspace.folder / "another"))
    result = workspace.run(space)
    assert (result.stats.mode, result.stats.counts()["orders_loaded"]) == ("incremental", 0)


def test_databases_do_not_share_a_working_directory(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    directories = {find_target().pipelines_dir, find_target(dataset="other").pipelines_dir}
    monkeypatch.setenv("DESTINATION__DUCKDB__CREDENTIALS", str(workspace.folder / "b.duckdb"))
    directories.add(find_target().pipelines_dir)
    assert len(directories) == 3


@pytest.mark.proof
@pytest.mark.parametrize(
    "step",
    [
        "dlt.pipeline.pipeline:Pipeline.normalize",
        "dlt.pipeline.pipeline:Pipeline.load",
        "dlt.load.load:Load.complete_package",
    ],
)
def test_what_a_killed_run_left_is_loaded_and_the_next_does_its_own_work(
    space: SimulatedSpace, workspace: Workspace, step: str
) -> None:
    workspace.run(space)
    space.clock.advance(5 * 24 * 3600)
    killed = workspace.command("run", "--quiet", space=space, at=(step, 1, kill))
    assert killed.returncode == -signal.SIGKILL
    space.clock.advance(5 * 24 * 3600)
    done = workspace.command("run", "--json", space=space)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["orders_seen"] > 0
    assert workspace.orders() == true_orders(space)


@pytest.mark.parametrize("damaged", ["state.json", "*.schema.json", "load_package_state.json"])
@pytest.mark.proof
def test_a_damaged_working_directory_costs_nothing(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, damaged: str
) -> None:
    leave_a_package(space, workspace)
    files = list((workspace.folder / "data" / "pipelines").rglob(damaged))
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:40])
    space.clock.advance(3600)
    assert workspace.run(space).stats.complete
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_a_signal_while_a_leftover_is_loaded_keeps_it(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    """It ends the run, and is no reason to drop what was read."""
    leave_a_package(space, workspace)
    (package,) = (workspace.folder / "data" / "pipelines").rglob("new_jobs/orders.*")
    step = ("dlt.load.load:Load.load_single_package", 1, terminate)
    ended = workspace.command("run", space=space, at=step)
    assert ended.returncode == 128 + signal.SIGTERM, ended.stderr
    assert "cannot be used" not in ended.stderr
    assert package.exists()
    assert workspace.run(space).stats.complete
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
@pytest.mark.parametrize("cut_to", [0, 400])
def test_a_damaged_package_is_dropped_and_read_again(
    space: SimulatedSpace, workspace: Workspace, cut_to: int
) -> None:
    leave_a_package(space, workspace)
    (package,) = (workspace.folder / "data" / "pipelines").rglob("new_jobs/orders.*")
    package.write_bytes(package.read_bytes()[:cut_to])
    done = workspace.command("run", space=space)
    assert done.returncode == 0, done.stderr
    assert "it is dropped and read again" in done.stderr
    assert workspace.orders() == true_orders(space)


def leave_a_package(space: SimulatedSpace, workspace: Workspace) -> None:
    """What is there after a run that ended just before it would have loaded."""
    workspace.run(space)
    space.clock.advance(5 * 3600)
    workspace.leave_package_here(space, "dlt.pipeline.pipeline:Pipeline.load")


@pytest.mark.parametrize("dropped", ["SCHEMA signalwire", "SCHEMA signalwire_staging"])
@pytest.mark.proof
def test_a_schema_that_was_dropped_is_made_again(
    space: SimulatedSpace, any_workspace: Workspace, dropped: str
) -> None:
    any_workspace.run(space)
    any_workspace.execute(f"DROP {dropped} CASCADE")
    space.clock.advance(3600)
    assert any_workspace.run(space).stats.complete
    assert any_workspace.orders() == true_orders(space)
    assert len(any_workspace.table("campaigns")) == 4


@pytest.mark.proof
def test_another_projects_orders_are_left_alone(
    space: SimulatedSpace, open_space: Callable[..., SimulatedSpace], workspace: Workspace
) -> None:
    """To the other project's credentials all of them would seem to be gone."""
    workspace.run(space)
    before = workspace.table("orders")
    other = open_space(seed=2)
    done = workspace.command("run", "--full", space=other)
    assert done.returncode == 2
    assert "--dataset NAME" in done.stderr
    assert other.journal.requests == 0
    assert workspace.table("orders") == before
    assert workspace.command("run", "--dataset", "other", space=other).returncode == 0
    assert workspace.run(space).stats.complete


def test_no_request_is_sent_before_the_run_begins(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    signalwire(space.url, space.project_id, space.api_token)
    assert space.journal.requests == 0


@pytest.mark.proof
def test_a_progress_bar_on_a_terminal(space: SimulatedSpace, workspace: Workspace) -> None:
    space.set_latency(150)
    shown = on_a_terminal(workspace, ("run",), **workspace.credentials(space), COLUMNS="120")
    assert "48 orders loaded" in shown
    assert "campaigns read" in shown
    assert "requests" in shown
