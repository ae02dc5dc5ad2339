"""The DAG under the real scheduler, with the LocalExecutor, into PostgreSQL."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
from contextlib import closing
from pathlib import Path

import psycopg2
from dag_runs import connection
from scheduler import RunningAirflow, running_airflow
from support import ROOT, Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

# a space that answers nothing yet: a run goes on trying until the fault is lifted
CLOSED = Fault("", "respond", status=503)
PYTHON_IN_DOCS = re.compile(r"```python\n(.*?)```", re.DOTALL)


def dags_folder(folder: Path) -> Path:
    """The DAG, to be triggered by hand alone, and the one of docs/airflow.md that waits for it."""
    folder.mkdir()
    text = (ROOT / "dags" / "signalwire_orders.py").read_text(encoding="utf-8")
    hourly = 'schedule="@hourly"'
    assert text.count(hourly) == 1
    (folder / "signalwire_orders.py").write_text(text.replace(hourly, "schedule=None"))
    (downstream,) = PYTHON_IN_DOCS.findall((ROOT / "docs" / "airflow.md").read_text("utf-8"))
    (folder / "slow_orders.py").write_text(downstream)
    return folder


def holders(url: str) -> list[int]:
    """The processes that load into a database, by what their locks' connections say."""
    with closing(psycopg2.connect(url)) as connection_:
        cursor = connection_.cursor()
        cursor.execute(
            "SELECT DISTINCT substring(application_name FROM 'signalwire-orders pid (\\d+)')::int"
            " FROM pg_stat_activity WHERE application_name LIKE 'signalwire-orders pid %'"
        )
        return [pid for (pid,) in cursor.fetchall()]


def load_states(airflow: RunningAirflow, run_id: str) -> list[tuple[str, int]]:
    return airflow.rows(
        "SELECT state, try_number FROM task_instance"
        f" WHERE task_id = 'load' AND run_id = '{run_id}' AND map_index >= 0"
    )


def dag_run_states(airflow: RunningAirflow, dag_id: str) -> list[str]:
    return [
        state for (state,) in airflow.rows(f"SELECT state FROM dag_run WHERE dag_id = '{dag_id}'")
    ]


def test_parts_side_by_side_what_waits_for_them_and_an_end_on_request(
    space: SimulatedSpace, postgres_workspace: Workspace, tmp_path: Path
) -> None:
    url = postgres_workspace.postgres_url
    assert url
    home = tmp_path / "airflow"
    home.mkdir()
    environment = postgres_workspace.environment | {
        "AIRFLOW_CONN_SIGNALWIRE": connection(space),
        "SOURCES__SIGNALWIRE__REQUEST_MAX_ATTEMPTS": "100000",
    }
    with running_airflow(home, dags_folder(tmp_path / "dags"), environment) as airflow:
        airflow.wait_for(
            "the DAGs are known",
            lambda: len(airflow.rows("SELECT dag_id FROM serialized_dag")) == 2,
        )

        # both parts are at work before either may read anything
        space.faults.add(CLOSED)
        conf = json.dumps({"shards": 2})
        airflow.command("dags", "trigger", "signalwire_orders", "--run-id", "parts", "--conf", conf)
        airflow.wait_for(
            "two parts run side by side",
            lambda: load_states(airflow, "parts") == [("running", 1)] * 2,
        )
        space.faults.clear()
        airflow.wait_for(
            "the run is done",
            lambda: dag_run_states(airflow, "signalwire_orders") in (["success"], ["failed"]),
        )
        assert dag_run_states(airflow, "signalwire_orders") == ["success"], airflow.logs()
        assert load_states(airflow, "parts") == [("success", 1)] * 2
        assert postgres_workspace.orders() == true_orders(space)
        reported = postgres_workspace.rows(
            "SELECT orders FROM signalwire_reports.processing_time_summary"
        )
        assert reported == [{"orders": 48}]
        airflow.wait_for(
            "what waits for the tables has run",
            lambda: dag_run_states(airflow, "slow_orders") == ["success"],
        )

        # a run that is told to end, as by whoever takes the machine away
        space.faults.add(CLOSED)
        airflow.command("dags", "trigger", "signalwire_orders", "--run-id", "ended")
        airflow.wait_for("a run holds the lock", lambda: len(holders(url)) == 1)
        os.kill(holders(url)[0], signal.SIGTERM)
        airflow.wait_for(
            "it is tried again later",
            lambda: load_states(airflow, "ended") == [("up_for_retry", 1)],
        )
        assert holders(url) == []
        assert "interrupted; nothing is lost" in airflow.logs()

    assert airflow.left() == []
    pair = f"{space.project_id}:{space.api_token}".encode()
    secrets = (space.api_token.encode(), base64.b64encode(pair))
    files = [path for path in home.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" and "load" in str(path) for path in files)
    assert [p for p in files if any(secret in p.read_bytes() for secret in secrets)] == []
