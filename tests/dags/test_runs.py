"""Whole runs of the DAG, over real HTTP: what Airflow shows, and what is in the tables."""

from __future__ import annotations

import base64
import os
import signal
from pathlib import Path

import pytest
from dag_runs import asset_events, connection, run_dag
from support import Workspace, true_orders
from support.receivers import webhook

from sources.simulator import Fault, SimulatedSpace

GREEN = {
    "shards": "success",
    "load[0]": "success",
    "apply_reports": "success",
    "check_freshness": "success",
    "everything_read": "success",
}
NOTHING_LOADED = GREEN | {
    "load[0]": "failed",
    "apply_reports": "upstream_failed",
    "check_freshness": "upstream_failed",
    "everything_read": "upstream_failed",
}


@pytest.fixture(autouse=True)
def connected(space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to the space, and DuckDB in a user's folder."""
    monkeypatch.setenv("AIRFLOW_CONN_SIGNALWIRE", connection(space))


def processed_in_reports(workspace: Workspace) -> list[dict[str, object]]:
    return workspace.rows("SELECT orders FROM signalwire_reports.processing_time_summary")


def test_a_run_loads_everything_and_tells_the_asset(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    done = run_dag()
    assert (done.state, done.tasks) == ("success", GREEN)
    assert set(done.tries.values()) == {1}
    assert workspace.orders() == true_orders(space)
    assert processed_in_reports(workspace) == [{"orders": 48}]
    (run,) = workspace.rows("SELECT run_id FROM runs")
    assert asset_events(done.run_id) == [
        {"orders_loaded": 48, "run_ids": [run["run_id"]], "complete": True}
    ]


def test_without_a_connection_the_settings_of_dlt_count(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SIGNALWIRE")
    for name, value in workspace.credentials(space).items():
        monkeypatch.setenv(name, value)
    assert run_dag().state == "success"
    assert workspace.orders() == true_orders(space)


@pytest.mark.parametrize("fault", [404, 500])
def test_a_partial_run_shows_red_and_loses_nothing(
    space: SimulatedSpace,
    workspace: Workspace,
    capfd: pytest.CaptureFixture[str],
    fault: int,
) -> None:
    assert run_dag().state == "success"
    broken, other = sorted({campaign for _, campaign, _ in space.world.truth_orders()})[:2]
    space.world.add_order(broken)
    added = space.world.add_order(other)
    space.faults.add(Fault(f"/campaigns/{broken}/orders", "respond", status=fault))
    capfd.readouterr()

    # the reports that are there afterwards are those that the task made
    drop = "DROP SCHEMA signalwire_reports CASCADE"
    done = run_dag(on_success_callback=[lambda _context: workspace.execute(drop)])

    assert (done.state, done.tasks) == ("failed", GREEN | {"everything_read": "failed"})
    assert done.tries["everything_read"] == 1
    shown = capfd.readouterr().out
    assert "XCom not found" not in shown
    assert "AirflowFailException: 1 of the lists could not be read:" in shown
    assert f"/campaigns/{broken}/orders" in shown.partition("AirflowFailException")[2]
    loaded = [row for row in true_orders(space) if row["campaign_id"] != broken]
    assert added in {row["id"] for row in loaded}
    assert [row for row in workspace.orders() if row["campaign_id"] != broken] == loaded
    assert processed_in_reports(workspace) == [{"orders": 49}]
    (told,) = asset_events(done.run_id)
    assert (told["orders_loaded"], told["complete"]) == (1, False)

    space.faults.clear()
    assert run_dag().state == "success"
    assert workspace.orders() == true_orders(space)


def test_a_wrong_token_fails_at_once_and_is_told_nowhere(
    space: SimulatedSpace,
    workspace: Workspace,
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    wrong = "PTdb1c7ecbd1b1c0ffee"
    monkeypatch.setenv("AIRFLOW_CONN_SIGNALWIRE", connection(space, password=wrong))
    done = run_dag()
    assert (done.state, done.tasks) == ("failed", NOTHING_LOADED)
    assert done.tries["load[0]"] == 1
    assert asset_events(done.run_id) == []
    shown = capfd.readouterr()
    assert "AirflowFailException: GET" in shown.out
    assert "answered 401" in shown.out

    monkeypatch.setenv("AIRFLOW_CONN_SIGNALWIRE", connection(space))
    assert run_dag().state == "success"
    shown = shown.out + shown.err + "".join(capfd.readouterr())
    secrets = [
        secret
        for word in (wrong, space.api_token)
        for secret in (word.encode(), base64.b64encode(f"{space.project_id}:{word}".encode()))
    ]
    kept = [
        path
        for folder in (home, workspace.folder)
        for path in folder.rglob("*")
        if path.is_file() and any(secret in path.read_bytes() for secret in secrets)
    ]
    assert kept == []
    assert not any(secret.decode() in shown for secret in secrets)


@pytest.mark.parametrize(
    ("variables", "params", "sentence"),
    [
        ({"AIRFLOW_CONN_SIGNALWIRE": '{"host": "acme", "login": "x"}'}, {}, "has no password"),
        ({"REPORTS__TARGETS": "[]"}, {}, "reports.targets"),
        ({"DESTINATION__DUCKDB__CREDENTIALS": "/nowhere/at/all.duckdb"}, {}, "there is no folder"),
        ({}, {"destination": "postgres"}, "missing: "),
    ],
    ids=["connection", "setting", "folder", "destination"],
)
def test_what_cannot_work_fails_at_once(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    variables: dict[str, str],
    params: dict[str, str],
    sentence: str,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = run_dag(params=params)
    assert done.state == "failed"
    assert "failed" in done.tasks.values()
    assert max(done.tries.values()) == 1
    assert sentence in capfd.readouterr().out.partition("AirflowFailException: ")[2]


def test_another_run_in_the_same_place_is_waited_for_by_trying_again(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    from pipelines.destinations.lock import FileLock

    other = FileLock(Path(f"{workspace.database}.lock"))
    assert other.take()
    done = run_dag(on_retry_callback=[lambda _context: other.release()])
    assert (done.state, done.tries["load[0]"]) == ("success", 2)
    assert workspace.orders() == true_orders(space)


def test_a_timeout_ends_a_run_that_hangs_and_nothing_is_lost(
    space: SimulatedSpace, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    def time_is_up(path: str) -> None:
        if "/orders" in path:
            space.on_request = None
            # what Airflow's clock sends when execution_timeout is over
            os.kill(os.getpid(), signal.SIGALRM)

    space.faults.add(Fault("/orders", "hang"))
    space.on_request = time_is_up
    done = run_dag(retries=0)
    assert (done.state, done.tasks) == ("failed", NOTHING_LOADED)
    assert "AirflowTaskTimeout" in capfd.readouterr().out

    space.faults.clear()
    assert run_dag().state == "success"
    assert workspace.orders() == true_orders(space)


def test_only_the_chosen_campaigns_are_read(space: SimulatedSpace, workspace: Workspace) -> None:
    chosen = sorted({campaign for _, campaign, _ in space.world.truth_orders()})[:2]
    done = run_dag(params={"campaigns": chosen})
    # how old the rest is says nothing about this run
    assert (done.state, done.tasks) == ("success", GREEN | {"check_freshness": "skipped"})
    expected = [row for row in true_orders(space) if row["campaign_id"] in chosen]
    assert workspace.orders() == expected


def test_a_full_walk_finds_what_changed_in_settled_orders(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    assert run_dag().state == "success"
    assert run_dag(params={"full": True}).state == "success"
    modes = workspace.rows("SELECT mode FROM runs ORDER BY finished_at")
    assert [row["mode"] for row in modes] == ["backfill", "full"]


def test_another_destination(
    space: SimulatedSpace,
    workspace: Workspace,
    postgres_workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE", "duckdb")
    assert run_dag(params={"destination": "postgres"}).tasks == GREEN
    assert postgres_workspace.orders() == true_orders(space)
    assert processed_in_reports(postgres_workspace) == [{"orders": 48}]
    assert not workspace.database.exists()


def test_data_that_grew_old_is_told(
    space: SimulatedSpace, workspace: Workspace, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_dag().state == "success"
    workspace.execute("UPDATE signalwire.runs SET finished_at = finished_at - INTERVAL 4 HOUR")
    campaign = space.world.truth_orders()[0][1]
    space.faults.add(Fault(f"/campaigns/{campaign}/orders", "respond", status=404))
    capfd.readouterr()
    done = run_dag()
    assert done.tasks == GREEN | {"check_freshness": "failed", "everything_read": "failed"}
    assert done.tries["check_freshness"] == 1
    assert "AirflowFailException: freshness: 48 orders" in capfd.readouterr().out


def test_a_part_that_fails_leaves_the_others_and_is_seen(
    space: SimulatedSpace, postgres_workspace: Workspace
) -> None:
    def end_the_first(path: str) -> None:
        if "/orders" in path:
            space.on_request = None
            os.kill(os.getpid(), signal.SIGTERM)

    space.on_request = end_the_first
    done = run_dag(params={"shards": 2}, retries=0)
    assert done.state == "failed"
    # which of the two comes first is Airflow's choice
    assert sorted((done.tasks["load[0]"], done.tasks["load[1]"])) == ["failed", "success"]
    assert done.tasks["apply_reports"] == "success"
    assert done.tasks["everything_read"] == "upstream_failed"
    (told,) = asset_events(done.run_id)
    assert told["complete"] is False
    assert told["orders_loaded"] == len(postgres_workspace.orders()) < 48

    assert run_dag(params={"shards": 2}).state == "success"
    assert postgres_workspace.orders() == true_orders(space)


def test_parts_are_refused_where_they_cannot_be(capfd: pytest.CaptureFixture[str]) -> None:
    done = run_dag(params={"shards": 2})
    assert (done.tasks["load[0]"], done.tasks["load[1]"]) == ("failed", "failed")
    assert max(done.tries.values()) == 1
    assert "AirflowFailException: a DuckDB file takes one writer" in capfd.readouterr().out


def test_a_failure_is_told_once_and_so_is_its_end(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with webhook() as hook:
        monkeypatch.setenv("NOTIFY__URLS", hook.url)
        space.faults.add(Fault("brands", "respond", status=401))
        assert run_dag().tasks == NOTHING_LOADED
        assert run_dag().tasks == NOTHING_LOADED
        space.faults.clear()
        assert run_dag().tasks == GREEN
        assert hook.titles == ["run failed", "resolved: run failed"]
        assert "where: duckdb:///" in hook.posted[0]["message"]


def test_a_url_that_cannot_work_fails_at_once(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY__URLS", "what")
    done = run_dag()
    assert (done.tasks, done.tries["load[0]"]) == (NOTHING_LOADED, 1)
    assert space.journal.requests == 0
