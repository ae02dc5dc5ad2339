"""A copy comes in whole or not at all."""

from __future__ import annotations

import signal

import pytest
from support import Workspace, true_orders
from support.at_call import fill_disk, kill
from support.published import (
    DAY,
    PLACES,
    assert_is_a_copy,
    contents,
    orders_in,
)

from sources.simulator import SimulatedSpace

DEATHS = [
    ("bi.duckdb", "pipelines.publishing.snapshot:_columns_to_copy", True),
    ("bi.duckdb", "pipelines.destinations.duckdb:DuckDB.copy_tables", True),
    ("bi.duckdb", "pipelines.publishing.snapshot:_mark", False),
    ("bi.duckdb", "pipelines.publishing.output_location:DatabaseFile.put", False),
    ("exports", "pipelines.publishing.snapshot:_make_report", True),
    ("exports", "pipelines.publishing.output_location:export_parquet", True),
    ("exports", "pathlib:Path.rename", True),
    ("exports", "pathlib:Path.replace", False),
    ("exports", "pipelines.publishing.output_location:ParquetFolder._remove_all_but", False),
]


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
        full = ("pipelines.publishing.publish:publish_copy", 1, fill_disk)
        done = any_workspace.command("run", "--publish", name, space=space, at=full)
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
            "pipelines.destinations.copy_file:insert",
            after=True,
        )

    def killed(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str, point: str, *, after: bool
    ) -> None:
        place = any_workspace.folder / name
        any_workspace.run(space, publish=place)
        before = true_orders(space)
        space.clock.advance(DAY)
        step = (point, -1 if after else 1, kill)
        killed = any_workspace.command("run", "--quiet", "--publish", name, space=space, at=step)
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
