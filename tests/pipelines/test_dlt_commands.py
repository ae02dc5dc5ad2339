"""dlt's own commands find the pipeline after a run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import Workspace

from pipelines.destinations.resolve import find_target
from sources.simulator import SimulatedSpace

DLT = Path(sys.executable).with_name("dlt")


def dlt(workspace: Workspace, *arguments: str) -> str:
    done = subprocess.run(
        [DLT, "pipeline", *arguments],
        cwd=workspace.folder,
        env=os.environ | workspace.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_after_a_run_with_the_default_settings(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    assert "dataset_name: signalwire" in dlt(workspace, "signalwire_orders", "info")
    assert "orders: 48 row(s)" in dlt(workspace, "signalwire_orders", "trace")
    # the page itself needs packages that are not installed here
    assert "Traceback" not in dlt(workspace, "signalwire_orders", "show")


@pytest.mark.proof
def test_elsewhere_with_the_folder_that_check_prints(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space, dataset="other")
    assert not (workspace.folder / "data" / "pipelines" / "signalwire_orders").exists()
    folder = str(find_target(dataset="other").pipelines_dir)
    assert folder in workspace.command("check", "--dataset", "other", space=space).stdout
    told = dlt(workspace, "--pipelines-dir", folder, "signalwire_orders", "info")
    assert "dataset_name: other" in told


def test_a_folder_of_another_pipeline_stays(space: SimulatedSpace, workspace: Workspace) -> None:
    folder = workspace.folder / "data" / "pipelines" / "signalwire_orders"
    folder.mkdir(parents=True)
    (folder / "state.json").write_text("{}", encoding="utf-8")
    workspace.run(space)
    assert not folder.is_symlink()
    assert (folder / "state.json").read_text(encoding="utf-8") == "{}"
