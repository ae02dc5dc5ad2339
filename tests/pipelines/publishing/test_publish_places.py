"""Where copies may be put, and what is never replaced by one."""

from __future__ import annotations

import json
import subprocess
import sys

import duckdb
import pytest
from support import Workspace, true_orders
from support.published import (
    DAY,
    PLACES,
    assert_is_a_copy,
    contents,
    orders_in,
)

from sources.signalwire.errors import ConfigurationError
from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof


class TestPlaces:
    def test_nothing_is_published_unless_asked_for(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        result = workspace.run(space)
        assert result.as_dict()["published"] is None
        database = workspace.database.name
        assert {path.name for path in workspace.folder.iterdir()} == {
            "data", database, f"{database}.lock",
        }  # fmt: skip

    @pytest.mark.parametrize("name", PLACES)
    def test_asked_for_by_option_or_setting(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        done = any_workspace.command("run", "--publish", name, space=space)
        assert done.returncode == 0, done.stderr
        place = any_workspace.folder / name
        assert f"\npublished to {place}\n" in done.stdout
        space.clock.advance(DAY)
        done = any_workspace.command("run", "--json", space=space, REPORTS__PUBLISH=name)
        assert json.loads(done.stdout)["published"] == str(place)
        assert orders_in(place) == true_orders(space)

    def test_a_partial_run_publishes_too(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        failing = space.world.truth_orders()[0][1]
        space.faults.add(Fault(f"/campaigns/{failing}/orders", "respond", status=404))
        done = any_workspace.command("run", "--publish", "bi.duckdb", space=space)
        assert done.returncode == 3
        assert "published to " in done.stdout
        assert_is_a_copy(any_workspace.folder / "bi.duckdb", any_workspace)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("text.duckdb", "is no copy"),
            ("other.duckdb", "is no copy"),
            ("held.duckdb", "is no copy"),
            ("folder.duckdb", "is no copy"),
            ("full", "is no copy"),
            ("file", "is no copy"),
            ("link", "is no copy"),
            ("signalwire_orders.duckdb", "the database that runs load into itself"),
            ("alias.duckdb", "the database that runs load into itself"),
            ("..", "the name of a file or folder"),
        ],
    )
    def test_what_is_no_copy_stays(
        self, space: SimulatedSpace, workspace: Workspace, name: str, reason: str
    ) -> None:
        """Refused before anything is read."""
        workspace.run(space)
        folder = workspace.folder
        (folder / "text.duckdb").write_text("a letter")
        (folder / "file").write_text("a letter")
        (folder / "folder.duckdb").mkdir()
        (folder / "full").mkdir()
        (folder / "full" / "letter").touch()
        (folder / "link").symlink_to("full")
        (folder / "alias.duckdb").symlink_to(workspace.database)
        with duckdb.connect(str(folder / "other.duckdb")) as other:
            other.execute("CREATE TABLE published AS SELECT 1 AS day")
        before = contents(folder)
        space.journal.clear()
        with duckdb.connect(str(folder / "held.duckdb")) as held:
            held.execute("CREATE TABLE orders AS SELECT 1 AS id")
            with pytest.raises(ConfigurationError, match=reason):
                workspace.run(space, publish=folder / name)
        (folder / "held.duckdb").unlink()
        assert space.journal.entries() == []
        assert contents(folder) == before

    def test_a_refusal_is_wrong_usage(self, space: SimulatedSpace, workspace: Workspace) -> None:
        (workspace.folder / "full").mkdir()
        (workspace.folder / "full" / "letter").touch()
        done = workspace.command("run", "--publish", "full", space=space)
        assert done.returncode == 2
        assert "publish: " in done.stderr
        assert space.journal.entries() == []

    def test_an_empty_folder_is_filled(self, space: SimulatedSpace, workspace: Workspace) -> None:
        place = workspace.folder / "exports"
        place.mkdir()
        workspace.run(space, publish=place)
        assert orders_in(place) == true_orders(space)

    def test_a_link_to_a_copy_stays_one_and_permissions_stay(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        real, link = workspace.folder / "real.duckdb", workspace.folder / "link.duckdb"
        link.symlink_to(real)
        workspace.run(space, publish=link)
        real.chmod(0o640)
        space.clock.advance(DAY)
        workspace.run(space, publish=link)
        assert link.is_symlink()
        assert real.stat().st_mode & 0o777 == 0o640
        assert orders_in(real) == true_orders(space)

    @pytest.mark.proof
    def test_what_somebody_wrote_into_a_copy_is_not_applied_to_the_next(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        place = workspace.folder / "bi.duckdb"
        workspace.run(space, publish=place)
        writes_and_dies = (
            "import duckdb, os, signal; c = duckdb.connect('bi.duckdb');"
            "c.execute('DELETE FROM signalwire.orders'); os.kill(os.getpid(), signal.SIGKILL)"
        )
        subprocess.run([sys.executable, "-c", writes_and_dies], cwd=workspace.folder, check=False)
        log = workspace.folder / "bi.duckdb.wal"
        assert log.exists()
        workspace.run(space, publish=place)
        assert not log.exists()
        assert orders_in(place) == true_orders(space)
