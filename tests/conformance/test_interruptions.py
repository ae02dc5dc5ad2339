"""Kills, and several runs at once: nothing is missing, and nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from support import Workspace, true_orders
from support.at_call import kill

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.errors import Busy
from sources.simulator import SimulatedSpace

DAY = 24 * 3600
# before the n-th call of a function, or as it returns where n is negative
POINTS = [
    ("dlt.pipeline.pipeline:Pipeline.normalize", 1),
    ("dlt.load.load:Load.start_new_jobs", 2),
    ("dlt.load.load:Load.complete_jobs", 2),
    ("dlt.common.storages.load_package:PackageStorage.complete_job", 3),
    ("dlt.load.load:Load.complete_package", 1),
    ("dlt.load.load:Load.complete_package", -1),
]


@pytest.mark.parametrize(("point", "time"), POINTS, ids=lambda p: str(p).rpartition(":")[2])
def test_a_kill(space: SimulatedSpace, workspace: Workspace, point: str, time: int) -> None:
    workspace.run(space)
    space.clock.advance(DAY)
    killed = workspace.command("run", "--quiet", space=space, at=(point, time, kill))
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    space.clock.advance(3600)
    assert workspace.run(space).stats.complete
    assert workspace.orders() == true_orders(space)
    ids = [row["id"] for row in workspace.table("order_changes")]
    assert len(ids) == len(set(ids))


def test_another_run_into_the_same_place(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with exclusive(find_target(), 0):
        # the lock is where the data is, not in the working folder
        monkeypatch.setenv("DLT_DATA_DIR", str(workspace.folder / "other machine"))
        with pytest.raises(Busy):
            workspace.run(space)
        assert space.journal.requests == 0
    workspace.run(space)
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_two_runs_at_once_of_two_machines(space: SimulatedSpace, workspace: Workspace) -> None:
    space.set_latency(50)
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--quiet", "--wait", "60"],
            cwd=workspace.folder,
            env=os.environ
            | workspace.credentials(space)
            | {"DLT_DATA_DIR": str(workspace.folder / machine)},
        )
        for machine in ("first", "second")
    ]
    assert [run.wait(100) for run in runs] == [0, 0]
    assert workspace.orders() == true_orders(space)
    assert sorted(row["orders_loaded"] for row in workspace.table("runs")) == [0, 48]
