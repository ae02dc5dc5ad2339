"""A file that is no DuckDB database, or a damaged one: named as such, and left as it is."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from support import SqliteWorkspace, Workspace
from support.old_duckdb import old_duckdb

from sources.simulator import SimulatedSpace

pytestmark = pytest.mark.proof

COMMANDS = [
    ("run", "--publish", "copy.duckdb"),
    ("check",),
    ("query", "SELECT count(*) FROM orders"),
    ("report",),
    ("dashboard",),
    ("publish", "copy.duckdb"),
    ("reports", "apply"),
]


def truncate(path: Path) -> None:
    os.truncate(path, 13_000)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 8192)


def sqlite_file(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE orders (id TEXT)")


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "random bytes": lambda path: path.write_bytes(b"\xa5\x5a" * 10_000),
    "empty": lambda path: path.write_bytes(b""),
    "header only": lambda path: os.truncate(path, 4096),
    "truncated": truncate,
    "overwritten": overwrite,
    "sqlite": sqlite_file,
    "folder": folder,
}


def require_said(workspace: Workspace, space: SimulatedSpace, *arguments: str) -> None:
    done = workspace.command(*arguments, space=space)
    assert done.returncode == 1, done.stderr
    said = done.stdout + done.stderr
    assert re.search(r"damaged|no DuckDB database|is a folder|is empty", said)
    assert "backup" in said
    for misleading in ("Traceback", "password", "extension", "working directory"):
        assert misleading not in said


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_each_kind_is_said_and_left_as_it_is(
    space: SimulatedSpace, workspace: Workspace, damage: str
) -> None:
    workspace.run(space)
    DAMAGES[damage](workspace.database)
    before = None if workspace.database.is_dir() else workspace.database.read_bytes()
    for command in (("run",), ("check",), ("query", "SELECT 1")):
        require_said(workspace, space, *command)
    after = None if workspace.database.is_dir() else workspace.database.read_bytes()
    assert after == before


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_by_every_command(
    space: SimulatedSpace, workspace: Workspace, command: tuple[str, ...]
) -> None:
    workspace.run(space)
    truncate(workspace.database)
    require_said(workspace, space, *command)
    assert not (workspace.folder / "copy.duckdb").exists()


def test_one_of_a_newer_duckdb(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    paths = os.pathsep.join([str(old_duckdb("1.4.4")), os.environ.get("PYTHONPATH", "")])
    before = workspace.database.read_bytes()
    for command in (("run",), ("query", "SELECT 1")):
        done = workspace.command(*command, space=space, PYTHONPATH=paths)
        assert done.returncode == 1
        assert "newer DuckDB" in done.stderr
        assert "Traceback" not in done.stderr
    assert workspace.database.read_bytes() == before


def test_on_sqlite_too(
    space: SimulatedSpace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = SqliteWorkspace(tmp_path).prepared(monkeypatch)
    workspace.run(space)
    workspace.database.write_bytes(b"\xa5\x5a" * 10_000)
    for command in (("run",), ("query", "SELECT count(*) FROM orders")):
        require_said(workspace, space, *command)
    assert workspace.database.read_bytes() == b"\xa5\x5a" * 10_000
