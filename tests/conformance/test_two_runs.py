"""Several runs at once into the same place: one goes on, and nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from support import Workspace, true_orders
from support.processes import started, wait_for_requests

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.errors import Busy
from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]


def test_the_second_ends_and_says_who_holds_it(space: SimulatedSpace, workspace: Workspace) -> None:
    space.faults.add(Fault("/orders", "delay", seconds=30, times=1))
    with started(workspace, space) as first:
        wait_for_requests(space, 4)
        second = workspace.command("run", space=space)
        assert second.returncode == 4
        assert str(first.pid) in second.stderr
        assert "--wait" in second.stderr
        assert "Traceback" not in second.stderr


@pytest.mark.proof
def test_the_second_waits(open_space: OpenSpace, workspace: Workspace) -> None:
    space = open_space(latency_ms=600)
    with started(workspace, space, "--json", "--workers", "1") as first:
        wait_for_requests(space, 1)
        second = workspace.command("run", "--json", "--wait", "60", space=space)
        out, _ = first.communicate()
    assert second.returncode == first.returncode == 0
    assert "waiting for another run" in second.stderr
    assert json.loads(out)["orders_loaded"] == 48
    assert json.loads(second.stdout)["orders_loaded"] == 0
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_a_dead_one_does_not_block(space: SimulatedSpace, workspace: Workspace) -> None:
    space.faults.add(Fault("/orders", "delay", seconds=30, times=1))
    with started(workspace, space) as first:
        wait_for_requests(space, 4)
        first.kill()
        first.wait()
    done = workspace.command("run", "--wait", "10", space=space)
    assert done.returncode == 0, done.stderr
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_many_at_once_lose_nothing(open_space: OpenSpace, workspace: Workspace) -> None:
    space = open_space(brands=2, campaigns=5, orders=50, latency_ms=10)
    environments = [{}, {"DLT_DATA_DIR": str(workspace.folder / "second machine")}]
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "pipelines", "run", "--quiet", "--wait", "60"],
            cwd=workspace.folder,
            env=os.environ | workspace.credentials(space) | environments[n % 2],
        )
        for n in range(4)
    ]
    assert [run.wait(100) for run in runs] == [0] * 4
    assert workspace.orders() == true_orders(space)


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
