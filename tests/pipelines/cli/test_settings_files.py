"""Settings files that cannot be read: one sentence with file and place, and never a secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import UNPRIVILEGED, Workspace

TOKEN = "PTdb1c7ecbd1b1c0ffee"
HEAD = b'[sources.signalwire]\nspace = "acme"\nproject_id = "x"\n'
# what is in the file, and what the sentence says of it
FAULTS = {
    "byte order mark": (b"\xef\xbb\xbf" + HEAD, "line 1, column 1: a byte order mark"),
    "utf-16": ("\ufeff[a]\n".encode("utf-16-le"), "line 1, column 1: not UTF-8"),
    "unquoted": (HEAD + b"api_token = " + TOKEN.encode(), "line 4, column 13: not valid TOML"),
    "bracket": (b"[sources.signalwire\n" + HEAD, "line 1, column "),
    "open text": (HEAD + b'api_token = "' + TOKEN.encode() + b"\n", "line 4, column "),
    "bare": (HEAD + TOKEN.encode() + b"\n", "line 4, column "),
    "latin-1": (HEAD + b'api_token = "' + TOKEN.encode() + b'\xe9"\n', "line 4, column 34: not"),
    "twice": (HEAD + b'space.of = "' + TOKEN.encode() + b'"\n', "line 4, column 1: not valid TOML"),
    "nul": (HEAD + b"api_token = \x00" + TOKEN.encode(), "line 4, column 13: not valid TOML"),
}
COMMANDS = [
    ("run",),
    ("run", "--log-format", "json"),
    ("check",),
    ("report",),
    ("reports", "list"),
    ("dashboard",),
    ("bi", "superset", "orders.zip", "--database-uri", "duckdb:////data/bi.duckdb"),
    ("publish", "copy.duckdb"),
    ("query", "SELECT 1"),
    ("notify", "--test"),
    ("demo",),
]


def settings_file(workspace: Workspace, content: bytes, name: str = "secrets.toml") -> Path:
    path = workspace.folder / ".dlt" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def require_one_sentence(
    done: subprocess.CompletedProcess[str], workspace: Workspace, *words: str
) -> None:
    """Exit code 2, one line with these words, and nothing of the secret, in the log neither."""
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    for word in words:
        assert word in line
    logs = "".join(path.read_text() for path in (workspace.folder / "data").glob("*.log"))
    parts = {TOKEN[start : start + 4] for start in range(len(TOKEN) - 3)}
    assert not [part for part in parts if part in done.stdout + done.stderr + logs]


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_file_that_is_not_valid(workspace: Workspace, fault: str) -> None:
    content, words = FAULTS[fault]
    path = settings_file(workspace, content)
    require_one_sentence(workspace.command("run"), workspace, f"{path}, {words}")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_on_every_command(workspace: Workspace, command: tuple[str, ...]) -> None:
    path = settings_file(workspace, FAULTS["unquoted"][0], "config.toml")
    done = workspace.command(*command)
    require_one_sentence(done, workspace, str(path), "line 4, column 13")
    assert not workspace.database.exists()


def test_one_of_the_global_ones(workspace: Workspace, tmp_path: Path) -> None:
    home = tmp_path / "home"
    path = home / ".dlt" / "secrets.toml"
    path.parent.mkdir(parents=True)
    path.write_bytes(FAULTS["unquoted"][0])
    # root's are in /var
    program = ("unshare", "--user") if os.geteuid() == 0 else ()
    done = workspace.command("run", HOME=str(home), program=program)
    require_one_sentence(done, workspace, f"{path}, line 4, column 13")


@pytest.mark.parametrize("which", ["secrets.toml", ""])
def test_one_that_may_not_be_read(workspace: Workspace, which: str) -> None:
    path = settings_file(workspace, HEAD)
    locked = path.parent / which
    locked.chmod(0)
    done = workspace.command("run", HOME=str(workspace.folder / "home"), program=UNPRIVILEGED)
    locked.chmod(0o700)
    require_one_sentence(done, workspace, f"{path} cannot be read (Permission denied)")


@pytest.mark.parametrize("name", ["secrets.toml", "config.toml"])
def test_a_folder_in_its_place(workspace: Workspace, name: str) -> None:
    path = workspace.folder / ".dlt" / name
    path.mkdir(parents=True)
    require_one_sentence(workspace.command("check"), workspace, f"{path} is a folder")


def test_from_python_as_airflow_calls_it(workspace: Workspace) -> None:
    path = settings_file(workspace, FAULTS["unquoted"][0])
    code = (
        "from pipelines.errors.explain import explain\n"
        "from pipelines.signalwire_orders import run\n"
        "try:\n    run()\nexcept Exception as error:\n    print(*explain(error), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=workspace.folder, capture_output=True, text=True
    )
    sentence, exit_code = done.stdout.splitlines()
    assert f"{path}, line 4, column 13" in sentence
    assert (exit_code, done.stderr) == ("2", "")
