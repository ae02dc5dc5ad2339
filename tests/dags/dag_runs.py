"""Runs of the DAG in this process, as `dag.test()` makes them, and what Airflow keeps of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from airflow.dag_processing.dagbag import DagBag
from airflow.models.asset import AssetEvent
from airflow.sdk import DAG
from airflow.utils.session import create_session
from sqlalchemy import select
from support import ROOT

from sources.simulator import SimulatedSpace


class Outcome(NamedTuple):
    """How a DAG run ended, and its tasks: state by name, or by name and part where mapped."""

    state: str
    tasks: dict[str, str]
    tries: dict[str, int]
    run_id: str


def parsed_dag() -> DAG:
    """The DAG, parsed anew, so that a test may change it."""
    bag = DagBag(ROOT / "dags")
    assert bag.import_errors == {}
    dag = bag.get_dag("signalwire_orders")
    assert dag is not None
    return dag


def run_dag(*, params: Mapping[str, Any] | None = None, **load_arguments: Any) -> Outcome:
    """Runs the DAG with these params, and other arguments of the task `load`; never raises.

    A task that is tried again is so after a second, and not after the minutes that are declared.
    """
    dag = parsed_dag()
    for task in dag.tasks:
        declared = task.partial_kwargs if task.is_mapped else vars(task)
        declared |= {"retry_delay": timedelta(seconds=1), "max_retry_delay": timedelta(seconds=1)}
    dag.get_task("load").partial_kwargs |= load_arguments
    done = dag.test(run_conf=dict(params or {}))
    tasks = {
        ti.task_id if ti.map_index < 0 else f"{ti.task_id}[{ti.map_index}]": ti
        for ti in done.get_task_instances()
    }
    return Outcome(
        state=str(done.state),
        tasks={name: str(ti.state) for name, ti in tasks.items()},
        tries={name: ti.try_number for name, ti in tasks.items()},
        run_id=done.run_id,
    )


def asset_events(run_id: str) -> list[dict[str, Any]]:
    """What the events of the asset `signalwire_orders` tell that a DAG run caused."""
    with create_session() as session:
        events = session.scalars(select(AssetEvent).where(AssetEvent.source_run_id == run_id)).all()
        assert {event.asset.name for event in events} <= {"signalwire_orders"}
        return [event.extra for event in events]


def connection(space: SimulatedSpace, **fields: Any) -> str:
    """A connection to a space, as an environment variable holds it."""
    usual = {
        "conn_type": "generic",
        "host": space.url,
        "login": space.project_id,
        "password": space.api_token,
    }
    return json.dumps(usual | fields)
