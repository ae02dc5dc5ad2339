"""Folders that cannot be written to, and paths with characters that SQL or patterns use."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest
from support import UNPRIVILEGED, Workspace, true_orders

from sources.simulator import SimulatedSpace

pytestmark = pytest.mark.proof

ODD = "100 {0} 'it''s' \"b\" *[x] # ü"


class TestDataFolder:
    """dlt's data folder that cannot be written to: it is named, and not the database."""

    @pytest.mark.parametrize("kind", ["file", "below a file", "read-only", "one's own part"])
    def test_is_named_before_anything_is_sent(
        self, space: SimulatedSpace, any_workspace: Workspace, kind: str
    ) -> None:
        folder = any_workspace.folder
        data = folder / "data"
        if kind == "read-only":
            data.mkdir(mode=0o500)
        elif kind == "one's own part":
            (data / "pipelines").mkdir(mode=0o500, parents=True)
        else:
            data.write_text("mine")
        place = data / "below" if kind == "below a file" else data
        done = any_workspace.command(
            "run",
            space=space,
            program=UNPRIVILEGED,
            DLT_DATA_DIR=str(place),
            HOME=str(folder),
        )
        assert done.returncode == 2, done.stderr
        (line,) = done.stderr.splitlines()
        assert f"data folder cannot be written to: {place}" in line
        assert "DLT_DATA_DIR" in line
        assert "database" not in line
        assert space.journal.requests == 0

    def test_is_named_by_commands_that_read(self, workspace: Workspace) -> None:
        (workspace.folder / "data").write_text("mine")
        done = workspace.command("query", "SELECT 1")
        assert done.returncode == 2
        assert "DLT_DATA_DIR" in done.stderr
        assert (workspace.folder / "data").read_text() == "mine"

    def test_is_named_where_a_file_of_an_earlier_run_is_in_the_way(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        assert any_workspace.command("run", space=space).returncode == 0
        state = next((any_workspace.folder / "data").rglob("state.json"))
        state.parent.chmod(0o500)
        done = any_workspace.command(
            "run", space=space, program=UNPRIVILEGED, HOME=str(any_workspace.folder)
        )
        state.parent.chmod(0o700)
        assert done.returncode == 2, done.stderr
        assert "DLT_DATA_DIR" in done.stderr
        assert "the database" not in done.stderr

    @pytest.mark.parametrize("name", ["a\nb", "a\rb", "100%", "%s", "a;b"])
    def test_with_a_name_that_dlt_cannot_use_is_refused(
        self, space: SimulatedSpace, workspace: Workspace, name: str
    ) -> None:
        done = workspace.command("run", space=space, DLT_DATA_DIR=str(workspace.folder / name))
        assert (done.returncode, space.journal.requests) == (2, 0)
        assert "DLT_DATA_DIR" in done.stderr


@pytest.mark.parametrize("name", [ODD, "%s; 100% ", "two\nlines", "\x1b[31m\x85"])
def test_odd_characters_in_every_path(
    space: SimulatedSpace, tmp_path: Path, any_workspace: Workspace, name: str
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    there = type(any_workspace)(folder, any_workspace.postgres_url)
    if name != ODD:
        there.environment["DLT_DATA_DIR"] = str(tmp_path / "data")
    if not there.postgres_url:
        # a path with an escape in it is none for dlt
        there.database = (tmp_path if "\x1b" in name else folder / f"{name}.duckdb").with_suffix(
            ".duckdb"
        )
        there.environment["DESTINATION__DUCKDB__CREDENTIALS"] = str(there.database)
    # lists a URL and what is bad, which is in a file of such a path; nothing is sent
    there.environment["NOTIFY__URLS"] = "json://127.0.0.1:1/x"
    assert there.command("notify").stdout == "number 1 (json)\n"
    for _ in range(2):
        done = there.command(
            *("run", "--json", "--full", "--metrics-file", f"{name}.prom"),
            *("--publish", str(folder / f"{name} copy.duckdb")),
            space=space,
        )
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["complete"]
    assert there.orders() == true_orders(space)
    assert "signalwire_orders_orders 48" in (folder / f"{name}.prom").read_text()
    with duckdb.connect(str(folder / f"{name} copy.duckdb"), read_only=True) as copy:
        assert copy.execute("SELECT count(*) FROM signalwire.orders").fetchall() == [(48,)]
    for arguments in (
        ("publish", str(folder / f"{name} parquet")),
        ("dashboard", "--out", f"{name}.html"),
        (
            "bi",
            "superset",
            f"{name}.zip",
            "--database-uri",
            f"duckdb:///{folder}/{name} copy.duckdb",
        ),
        ("query", "SELECT count(*), '100%' FROM orders"),
    ):
        done = there.command(*arguments)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout + done.stderr
    assert (folder / f"{name}.html").read_text().startswith("<!DOCTYPE html>")
    assert (folder / f"{name} parquet" / "orders.parquet").is_file()


def test_a_database_whose_path_no_file_can_have(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    path = str(workspace.folder / "\x1b[31m.duckdb")
    done = workspace.command("run", space=space, DESTINATION__DUCKDB__CREDENTIALS=path)
    assert (done.returncode, space.journal.requests) == (2, 0)
    assert "destination.duckdb.credentials" in done.stderr
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize("name", ["a\\b", "a?b"])
def test_what_duckdb_takes_for_another_path_is_refused(
    space: SimulatedSpace, any_workspace: Workspace, name: str
) -> None:
    publish = ("--publish", str(any_workspace.folder / f"{name}.duckdb"))
    refused = [any_workspace.command("run", *publish, space=space)]
    if not any_workspace.postgres_url:
        path = str(any_workspace.folder / name / "orders.duckdb")
        (any_workspace.folder / name).mkdir()
        refused.append(
            any_workspace.command("run", space=space, DESTINATION__DUCKDB__CREDENTIALS=path)
        )
    for done in refused:
        assert done.returncode == 2, done.stderr
        assert "which DuckDB takes for" in done.stderr
    assert space.journal.requests == 0


def test_a_pattern_in_the_data_folder_means_itself(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    done = workspace.command("run", space=space, DLT_DATA_DIR=str(workspace.folder / "d?[a-z]*"))
    assert done.returncode == 0, done.stderr
    assert workspace.orders() == true_orders(space)
