"""What commands write replaces only an earlier output of its own kind; readers make nothing."""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from support import Workspace

from sources.simulator import SimulatedSpace

# each with the option that says where it writes
BI = ("--database-uri", "duckdb:////data/bi.duckdb")
OUTPUTS = {
    "bi": lambda path: ("bi", "superset", str(path), *BI),
    "dashboard": lambda path: ("dashboard", "--out", str(path)),
    "metrics": lambda path: ("run", "--metrics-file", str(path)),
}


@pytest.fixture
def loaded(space: SimulatedSpace, workspace: Workspace) -> Workspace:
    workspace.run(space)
    return workspace


@pytest.fixture(params=sorted(OUTPUTS))
def arguments(request: pytest.FixtureRequest) -> Any:
    return OUTPUTS[request.param]


class TestOutput:
    """`dashboard --out`, `bi superset` and `run --metrics-file`."""

    @pytest.mark.parametrize("place", ["signalwire_orders.duckdb", "notes.txt", "link"])
    def test_leaves_what_is_not_its_own(
        self, space: SimulatedSpace, loaded: Workspace, arguments: Any, place: str
    ) -> None:
        (loaded.folder / "notes.txt").write_text("mine")
        (loaded.folder / "link").symlink_to(loaded.database)
        path = loaded.folder / place
        before = path.read_bytes()
        space.journal.clear()
        done = loaded.command(*arguments(path), space=space)
        assert (done.returncode, path.read_bytes()) == (2, before)
        assert place in done.stderr
        assert "Traceback" not in done.stderr
        assert space.journal.requests == 0

    def test_is_refused_before_anything_is_read_where_a_folder_is(
        self, space: SimulatedSpace, loaded: Workspace, arguments: Any
    ) -> None:
        (loaded.folder / "folder").mkdir()
        space.journal.clear()
        done = loaded.command(*arguments(loaded.folder / "folder"), space=space)
        assert done.returncode == 2
        assert "is a folder" in done.stderr
        assert space.journal.requests == 0

    def test_follows_a_link_and_keeps_the_mode(
        self, space: SimulatedSpace, loaded: Workspace, arguments: Any
    ) -> None:
        real, link = loaded.folder / "real", loaded.folder / "link"
        link.symlink_to(real)
        assert loaded.command(*arguments(link), space=space).returncode == 0
        first = real.read_bytes()
        real.chmod(0o600)
        assert loaded.command(*arguments(link), space=space).returncode == 0
        assert link.is_symlink()
        assert stat.S_IMODE(real.stat().st_mode) == 0o600
        assert real.read_bytes()[:20] == first[:20]

    def test_goes_into_a_pipe(
        self, space: SimulatedSpace, loaded: Workspace, arguments: Any
    ) -> None:
        pipe = loaded.folder / "pipe"
        os.mkfifo(pipe)
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
        reader.start()
        done = loaded.command(*arguments(pipe), space=space)
        reader.join(10)
        assert done.returncode == 0
        assert pipe.is_fifo()
        assert read[0].startswith((b"<!DOCTYPE html>", b"# HELP signalwire_orders_", b"PK"))

    def test_goes_into_a_device(
        self, space: SimulatedSpace, loaded: Workspace, arguments: Any
    ) -> None:
        # a terminal of its own: the machine's devices are not to be put at risk
        main, other = os.openpty()
        device = Path(os.ttyname(other))
        read: list[bytes] = []
        threading.Thread(target=lambda: read.extend(_until_closed(main)), daemon=True).start()
        assert loaded.command(*arguments(device), space=space).returncode == 0
        assert device.is_char_device()
        os.close(other)


def _until_closed(number: int) -> Iterator[bytes]:
    with contextlib.suppress(OSError):
        while some := os.read(number, 65_536):
            yield some


@pytest.mark.parametrize("place", ["copy.duckdb", "exports"])
def test_a_copy_is_not_replaced_by_one_of_nothing(
    space: SimulatedSpace, loaded: Workspace, place: str
) -> None:
    assert loaded.command("publish", place).returncode == 0
    copy = loaded.folder / place
    before = copy.stat().st_mtime_ns
    for gone in ("", "elsewhere"):
        dataset = ("--dataset", gone) if gone else ()
        if not gone:
            loaded.database.rename(loaded.folder / "away.duckdb")
        done = loaded.command("publish", place, *dataset)
        assert done.returncode == 2
        assert "signalwire-orders run" in done.stderr
        assert copy.stat().st_mtime_ns == before
        if not gone:
            (loaded.folder / "away.duckdb").rename(loaded.database)


@pytest.mark.proof
def test_a_link_to_a_folder_of_parquet_is_followed_and_modes_are_kept(loaded: Workspace) -> None:
    elsewhere = loaded.folder / "elsewhere"
    elsewhere.mkdir()
    (loaded.folder / "exports").symlink_to(elsewhere / "exports")
    assert loaded.command("publish", "exports").returncode == 0
    (loaded.folder / "exports").chmod(0o750)
    (loaded.folder / "exports" / "orders.parquet").chmod(0o600)
    first = (loaded.folder / "exports").resolve()
    assert loaded.command("publish", "exports").returncode == 0
    newest = (loaded.folder / "exports").resolve()
    assert newest != first
    assert newest.parent == elsewhere
    assert str((loaded.folder / "exports").readlink()) == str(elsewhere / "exports")
    assert stat.S_IMODE(newest.stat().st_mode) == 0o750
    assert stat.S_IMODE((newest / "orders.parquet").stat().st_mode) == 0o600


@pytest.mark.parametrize("suffix", [".wal", ".lock"])
def test_a_copy_is_not_put_beside_the_database_as_its_own_file(
    loaded: Workspace, suffix: str
) -> None:
    place = f"{loaded.database.name}{suffix}"
    before = {path.name for path in loaded.folder.iterdir()}
    done = loaded.command("publish", place)
    assert done.returncode == 2
    assert "runs use themselves" in done.stderr
    assert {path.name for path in loaded.folder.iterdir()} == before
    assert loaded.command("query", "SELECT 1").returncode == 0


def test_metrics_with_a_line_of_the_users_are_left_alone(
    space: SimulatedSpace, loaded: Workspace
) -> None:
    path = loaded.folder / "orders.prom"
    assert loaded.command("run", "--metrics-file", str(path), space=space).returncode == 0
    path.write_text(path.read_text() + "my_backup_age 5\n")
    assert loaded.command("run", "--metrics-file", str(path), space=space).returncode == 2
    assert path.read_text().endswith("my_backup_age 5\n")


@pytest.mark.parametrize(
    "command",
    [
        ("check",),
        ("report",),
        ("query", "SELECT 1 FROM orders"),
        ("dashboard",),
        ("publish", "x"),
        ("reports", "apply"),
    ],
    ids=lambda command: command[0],
)
def test_commands_that_read_make_no_database(
    space: SimulatedSpace, workspace: Workspace, command: tuple[str, ...]
) -> None:
    done = workspace.command(*command, space=space)
    assert done.returncode == (0 if command[0] == "check" else 2)
    assert "signalwire-orders run" in done.stdout + done.stderr
    assert {path.name for path in workspace.folder.iterdir()} == {"data"}


@pytest.mark.proof
def test_two_programs_can_read_at_a_time(loaded: Workspace) -> None:
    with duckdb.connect(str(loaded.database), read_only=True):
        for command in (("report",), ("query", "SELECT 1"), ("dashboard",)):
            # another process has it open for reading, which keeps writers out
            assert loaded.command(*command).returncode == 0


@pytest.mark.proof
class TestDemo:
    """`demo --folder` removes what a demo made, and nothing else."""

    def test_leaves_a_real_database(self, loaded: Workspace) -> None:
        before = loaded.database.read_bytes()
        done = loaded.command("demo", "--folder", str(loaded.folder))
        assert done.returncode == 2
        assert done.stderr.count("not made by a demo") == 1
        assert "Traceback" not in done.stderr
        assert loaded.database.read_bytes() == before
        assert not (loaded.folder / "signalwire_orders.html").exists()

    def test_replaces_its_own_until_it_is_changed(self, workspace: Workspace) -> None:
        for _ in range(2):
            assert workspace.command("demo", "--folder", "here").returncode == 0
        database = workspace.folder / "here" / "signalwire_orders.duckdb"
        with duckdb.connect(str(database)) as connection:
            connection.execute("CREATE TABLE mine AS SELECT 1 AS kept")
        assert workspace.command("demo", "--folder", "here").returncode == 2
        with duckdb.connect(str(database)) as connection:
            assert connection.execute("SELECT kept FROM mine").fetchall() == [(1,)]

    def test_takes_no_settings_of_the_folder(self, workspace: Workspace) -> None:
        settings = workspace.folder / "here" / ".dlt"
        settings.mkdir(parents=True)
        (settings / "config.toml").write_text("[sources.signalwire]\nworkers = 'none'\n")
        assert workspace.command("demo", "--folder", "here").returncode == 0
