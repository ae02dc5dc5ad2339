"""The DAG's shards on Celery workers, as on several machines, one of which disappears."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psycopg2
from celery_workers import SLOTS, celery, messages, running_broker, running_worker
from dag_runs import connection
from scheduler import RunningAirflow, running_airflow
from support import ROOT, Workspace, true_orders
from support.changes import settle_all
from support.postgres_server import PostgresServer

from sources.simulator import Clock, SimulatedSpace

SHARDS = 4
HOUR = timedelta(hours=1)
# what the DAG of a user waits for is too long for a test
SHORTER = {
    'schedule="@hourly"': "schedule=None",
    '"retry_delay": timedelta(minutes=1)': '"retry_delay": timedelta(seconds=1)',
}
WAITING = """
SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'signalwire.orders'::regclass
"""


def dags_folder(folder: Path) -> Path:
    """The DAG, to be triggered by hand alone, whose tasks are retried after a second."""
    folder.mkdir()
    text = (ROOT / "dags" / "signalwire_orders.py").read_text(encoding="utf-8")
    for declared, shorter in SHORTER.items():
        assert text.count(declared) == 1
        text = text.replace(declared, shorter)
    (folder / "signalwire_orders.py").write_text(text)
    return folder


def change_orders(space: SimulatedSpace) -> None:
    """Orders of every campaign that are new, changed and gone."""
    for number, (_, campaign_id, order) in enumerate(space.world.truth_orders()):
        if number % 5 == 0:
            space.world.update_order(order["id"], state="failed")
        elif number % 7 == 0:
            space.world.remove_order(order["id"])
        elif number % 9 == 0:
            space.world.add_order(campaign_id, state="processed")


@contextmanager
def blocked_merges(url: str) -> Iterator[psycopg2.extensions.cursor]:
    """Lets no load change the table `orders`, as another program's lock would."""
    with closing(psycopg2.connect(url)) as connection_, connection_.cursor() as cursor:
        cursor.execute("LOCK TABLE signalwire.orders IN EXCLUSIVE MODE")
        yield cursor


def waiting_merges(cursor: psycopg2.extensions.cursor) -> int:
    cursor.execute(WAITING)
    (count,) = cursor.fetchone()
    return int(count)


def loads(airflow: RunningAirflow, run_id: str) -> dict[int, tuple[str, int, str]]:
    """State, try and worker of the task `load`, by shard."""
    rows = airflow.rows(
        "SELECT map_index, state, try_number, unixname FROM task_instance"
        f" WHERE task_id = 'load' AND run_id = '{run_id}' AND map_index >= 0"
    )
    return {shard: (state, attempt, worker) for shard, state, attempt, worker in rows}


def run_to_its_end(airflow: RunningAirflow, run_id: str) -> None:
    state = f"SELECT state FROM dag_run WHERE run_id = '{run_id}'"
    airflow.wait_for(
        f"the run {run_id} is done",
        lambda: airflow.rows(state) in ([("success",)], [("failed",)]),
    )
    assert airflow.rows(state) == [("success",)], airflow.logs()


def trigger(airflow: RunningAirflow, run_id: str) -> None:
    # with `full` a run also finds old orders that are gone
    conf = json.dumps({"shards": SHARDS, "full": True})
    airflow.command("dags", "trigger", "signalwire_orders", "--run-id", run_id, "--conf", conf)


def require_exact(workspace: Workspace, space: SimulatedSpace) -> None:
    """Whole rows of `orders` equal the space's, and no change is there twice."""
    assert workspace.orders() == true_orders(space)
    changes = Counter(row["id"] for row in workspace.table("order_changes"))
    assert changes
    assert [change for change, count in changes.items() if count > 1] == []


def test_a_worker_disappears_in_the_middle_of_its_loads(
    postgres: PostgresServer, postgres_workspace: Workspace, tmp_path: Path
) -> None:
    url = str(postgres_workspace.postgres_url)
    metadata = postgres.new_database().replace("postgresql:", "postgresql+psycopg2:")
    home = tmp_path / "airflow"
    home.mkdir()
    dags = dags_folder(tmp_path / "dags")
    clock = Clock(start=datetime.now(timezone.utc) - HOUR, speed=0)
    with (
        SimulatedSpace(brands=12, campaigns=2, orders=12, clock=clock) as space,
        running_broker() as broker,
        running_airflow(home, dags, celery(broker, metadata), metadata) as airflow,
        ExitStack() as stack,
    ):
        environment = {
            **celery(broker, metadata),
            **postgres_workspace.environment,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": airflow.execution_api,
            "AIRFLOW_CONN_SIGNALWIRE": connection(space),
        }
        first, second = workers = [
            stack.enter_context(
                running_worker(name, tmp_path / name, dags, home / f"{name}.log", environment)
            )
            for name in ("first", "second")
        ]
        airflow.wait_for(
            "the DAG is known",
            lambda: len(airflow.rows("SELECT dag_id FROM serialized_dag")) == 1,
        )
        # nothing changes but what this test changes
        settle_all(space)
        trigger(airflow, "everything")
        run_to_its_end(airflow, "everything")
        require_exact(postgres_workspace, space)

        clock.advance(HOUR.total_seconds() / 2)
        change_orders(space)
        with blocked_merges(url) as orders:
            trigger(airflow, "changes")
            airflow.wait_for(
                "all shards are read, and their merges begun",
                lambda: waiting_merges(orders) == SHARDS,
            )
            before = loads(airflow, "changes")
            lost = {shard for shard, (*_, worker) in before.items() if worker == first.name}
            assert Counter(before.values()) == {
                ("running", 1, worker.name): SLOTS for worker in workers
            }
            assert postgres_workspace.orders() != true_orders(space), "nothing is merged yet"
            first.vanish()
            clock.advance(60)
        run_to_its_end(airflow, "changes")
        after = {
            shard: ("success", 2 if shard in lost else 1, second.name) for shard in range(SHARDS)
        }
        assert loads(airflow, "changes") == after
        require_exact(postgres_workspace, space)

        airflow.wait_for(
            "the messages of the dead worker are delivered again",
            lambda: messages(broker) == 0,
        )
        assert loads(airflow, "changes") == after
        require_exact(postgres_workspace, space)

    assert airflow.left() == first.left() == second.left() == []
