"""The DAG as it is declared: what every task has, what importing it costs, what its params take."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk import TriggerRule
from airflow.sdk.exceptions import ParamValidationError
from dag_runs import parsed_dag
from support import ROOT

TASKS = ["shards", "load", "apply_reports", "check_freshness", "everything_read"]


def python(code: str) -> str:
    """What a piece of Python prints in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout


def test_the_dag() -> None:
    dag = parsed_dag()
    assert (dag.max_active_runs, dag.catchup) == (1, False)
    assert dag.schedule == "@hourly"
    assert dag.tags == {"signalwire", "10dlc"}
    assert dag.doc_md
    assert {task.task_id: task.downstream_task_ids for task in dag.tasks} == {
        "shards": {"load"},
        "load": {"apply_reports", "everything_read"},
        "apply_reports": {"check_freshness"},
        "check_freshness": set(),
        "everything_read": set(),
    }


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_tried_again_ends_in_time_and_is_described(name: str) -> None:
    task = parsed_dag().get_task(name)
    assert task.owner == "signalwire-orders"
    assert task.retries == 4
    assert task.retry_exponential_backoff > 1
    assert task.max_retry_delay <= timedelta(minutes=15)
    assert task.execution_timeout is not None
    # a mapped task keeps what it is described by among its arguments
    assert getattr(task, "doc_md", None) or task.partial_kwargs["doc_md"]


def test_a_part_that_failed_does_not_keep_the_others_from_counting() -> None:
    dag = parsed_dag()
    assert dag.get_task("apply_reports").trigger_rule == TriggerRule.ALL_DONE_MIN_ONE_SUCCESS
    assert [outlet.name for outlet in dag.get_task("apply_reports").outlets] == [
        "signalwire_orders"
    ]


def test_parsing_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from airflow.dag_processing.dagbag import DagBag;"
        f"bag = DagBag({str(ROOT / 'dags')!r}); assert 'signalwire_orders' in bag.dags;"
        "print({'dlt', 'duckdb', 'pyarrow', 'sqlglot', 'pipelines'} & {*sys.modules})"
    )
    assert python(code).splitlines()[-1] == "set()"


def test_dlt_asks_airflow_for_no_variables() -> None:
    code = (
        "{first}; import dlt; from dlt.common.configuration.container import Container;"
        "from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext;"
        "print([p.name for p in Container()[PluggableRunContext].providers.providers])"
    )
    vault = "Airflow Secrets TOML Provider"
    assert vault not in python(code.format(first="import pipelines.dag_tasks"))
    assert vault in python(code.format(first="import airflow"))


@pytest.mark.parametrize(
    "params",
    [
        {"shards": 0},
        {"shards": "2"},
        {"destination": "paper"},
        {"campaigns": "f4c6b6f0"},
        {"campaigns": [""]},
        {"full": "yes"},
    ],
    ids=str,
)
def test_params_that_make_no_sense_are_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        parsed_dag().test(run_conf=params)
