"""A copy comes in whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from support import Workspace, true_orders
from support.published import (
    DAY,
    PLACES,
    assert_is_a_copy,
    contents,
    orders_in,
)

from sources.simulator import SimulatedSpace

# the disk is full from the moment on at which publishing begins, as far as this process can tell
DISK_FULL = """
import resource, sys
import pipelines.signalwire_orders as orders
real = orders.publish_copy
def publish_copy(*args):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    real(*args)
orders.publish_copy = publish_copy
from pipelines.cli.main import main
sys.exit(main(["run", "--publish", {name!r}]))
"""
DIES = """
import os, pkgutil, signal, sys
owner = pkgutil.resolve_name({owner!r})
real = getattr(owner, {name!r})
def deadly(*args, **kwargs):
    if {after}:
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, {name!r}, deadly)
from pipelines.cli.main import main
sys.exit(main(["run", "--quiet", "--publish", {place!r}]))
"""
DEATHS = [
    ("bi.duckdb", "pipelines.publishing.table_copy:_columns", True),
    ("bi.duckdb", "pipelines.publishing.snapshot:transfer", True),
    ("bi.duckdb", "pipelines.publishing.snapshot:_mark", False),
    ("bi.duckdb", "pipelines.publishing.output_location:DatabaseFile.put", False),
    ("exports", "pipelines.publishing.snapshot:_make_report", True),
    ("exports", "pipelines.publishing.output_location:export_parquet", True),
    ("exports", "pathlib:Path.rename", True),
    ("exports", "pathlib:Path.replace", False),
    ("exports", "pipelines.publishing.output_location:ParquetFolder._remove_all_but", False),
]


def in_a_process(
    workspace: Workspace, space: SimulatedSpace, program: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=workspace.folder,
        env=os.environ | workspace.credentials(space),
        capture_output=True,
        text=True,
        check=False,
    )


class TestFailures:
    def test_no_such_folder(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        done = any_workspace.command("run", "--publish", "nowhere/bi.duckdb", space=space)
        assert (done.returncode, space.journal.requests) == (2, 0)
        (sentence,) = done.stderr.splitlines()
        assert "publish: there is no folder" in sentence
        assert not (any_workspace.folder / "nowhere").exists()

    @pytest.mark.proof
    @pytest.mark.parametrize("name", PLACES)
    def test_a_full_disk(self, space: SimulatedSpace, any_workspace: Workspace, name: str) -> None:
        """The load counts, the copy before stays, and the next run works again."""
        place = any_workspace.folder / name
        any_workspace.run(space, publish=place)
        before = {n: c for n, c in contents(any_workspace.folder).items() if name in n}
        space.clock.advance(DAY)
        done = in_a_process(any_workspace, space, DISK_FULL.format(limit=300_000, name=name))
        assert done.returncode == 1
        assert "everything is loaded, but its copy could not be published to" in done.stderr
        assert any_workspace.orders() == true_orders(space)
        assert before == {n: c for n, c in contents(any_workspace.folder).items() if name in n}
        any_workspace.run(space, publish=place)
        assert_is_a_copy(place, any_workspace)

    @pytest.mark.proof
    @pytest.mark.parametrize(
        ("name", "point", "after"), DEATHS, ids=lambda value: str(value).rpartition(":")[2]
    )
    def test_a_kill_leaves_the_copy_before_and_nothing_that_stays(
        self, space: SimulatedSpace, workspace: Workspace, name: str, point: str, after: bool
    ) -> None:
        self.killed(space, workspace, name, point, after=after)

    @pytest.mark.proof
    def test_a_kill_while_postgres_is_read(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        self.killed(
            space,
            postgres_workspace,
            "bi.duckdb",
            "pipelines.publishing.table_copy:insert",
            after=True,
        )

    def killed(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str, point: str, *, after: bool
    ) -> None:
        place = any_workspace.folder / name
        any_workspace.run(space, publish=place)
        before = true_orders(space)
        space.clock.advance(DAY)
        owner, _, function = point.rpartition(".")
        if not owner.count(":"):
            owner, _, function = point.rpartition(":")
        program = DIES.format(owner=owner, name=function, after=after, place=name)
        killed = in_a_process(any_workspace, space, program)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        swapped = "_remove_all_but" in point
        assert orders_in(place) == (true_orders(space) if swapped else before)
        for _ in range(2):
            any_workspace.run(space, publish=place)
        assert_is_a_copy(place, any_workspace)
        visible = {path.name for path in any_workspace.folder.iterdir()} - {
            "data", any_workspace.database.name, f"{any_workspace.database.name}.lock",
        }  # fmt: skip
        assert len(visible) == (1 if place.is_file() else 3), visible
