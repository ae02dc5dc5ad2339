"""kill -9 at over twenty points of a run, in extract, normalize and load, on every destination.

The process dies for real, without any of its own code to run; the next run finds what it left.
"""

from __future__ import annotations

import signal

import pytest
from conftest import OTHERS
from support import Workspace, true_orders
from support.at_call import kill

from sources.simulator import SimulatedSpace

DAY = 24 * 3600
# the n-th call of a function, before it does anything, or as it returns where n is negative
BEFORE = [
    ("sources.signalwire.http.client:Client.get", 1),
    ("sources.signalwire.http.client:Client.get", 5),
    ("sources.signalwire.records.buffers:RowBuffer.add", 2),
    ("sources.signalwire.records.buffers:RowBuffer.rest", 1),
    ("sources.signalwire.crawl.run_record:RunRecord.end", 1),
    ("dlt.extract.extract:Extract.commit_packages", 1),
    ("dlt.pipeline.pipeline:Pipeline.normalize", 1),
    ("dlt.normalize.normalize:Normalize.spool_files", 1),
    ("dlt.normalize.normalize:Normalize.run", 1),
    ("dlt.pipeline.pipeline:Pipeline.load", 1),
    ("dlt.load.load:Load.load_single_package", 1),
    ("dlt.load.load:Load.start_new_jobs", 1),
]
LOADING = [
    ("dlt.load.load:Load.start_new_jobs", 2),
    ("dlt.load.load:Load.complete_jobs", 1),
    ("dlt.load.load:Load.complete_jobs", 2),
    ("dlt.load.load:Load.create_followup_jobs", 1),
    ("dlt.common.storages.load_package:PackageStorage.complete_job", 1),
    ("dlt.common.storages.load_package:PackageStorage.complete_job", 3),
    # as it returns: committed at the destination, and this machine does not know
    ("dlt.common.destination.client:RunnableLoadJob.run_managed", -1),
    ("dlt.destinations.job_client_impl:SqlLoadJob.run", -1),
    ("dlt.load.load:Load.complete_package", 1),
    ("dlt.load.load:Load.complete_package", -1),
    ("dlt.common.storages.load_storage:LoadStorage.complete_load_package", 1),
]
# until a row is on its way a run does the same everywhere: servers of their own see some of it
POINTS = [*(BEFORE[::4] if OTHERS else BEFORE), *LOADING]
# where jobs merge without a statement
NO_STATEMENTS = ("filesystem",)
MERGED = ("dlt.common.destination.client:RunnableLoadJob.run_managed", -3)


@pytest.mark.parametrize(("point", "time"), POINTS, ids=lambda p: str(p).rpartition(":")[2])
def test_nothing_missing_and_nothing_twice(
    space: SimulatedSpace, workspace: Workspace, point: str, time: int
) -> None:
    workspace.run(space)
    space.clock.advance(DAY)
    if "SqlLoadJob" in point and workspace.destination in NO_STATEMENTS:
        point, time = MERGED
    killed = workspace.command("run", "--quiet", space=space, at=(point, time, kill))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    space.clock.advance(3600)
    result = workspace.run(space)
    assert result.stats.complete
    assert workspace.orders() == true_orders(space)
    ids = [row["id"] for row in workspace.table("order_changes")]
    assert len(ids) == len(set(ids))


@pytest.mark.proof
def test_what_was_read_before_the_kill_is_loaded_first(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    place = "dlt.pipeline.pipeline:Pipeline.load"
    workspace.command("run", "--quiet", space=space, at=(place, 1, kill))
    result = workspace.run(space)
    runs = {row["run_id"]: row["orders_loaded"] for row in workspace.table("runs")}
    assert runs.pop(result.stats.run_id) == 0
    assert list(runs.values()) == [48]
    assert workspace.orders() == true_orders(space)
