"""Credentials reach the space and nothing else: no log, no trace, no file, no message."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from support import Workspace

from sources.simulator import Fault, SimulatedSpace


def leaks(folder: Path, *texts: str, space: SimulatedSpace) -> list[str]:
    """Where the token or the header made of it can be found."""
    pair = f"{space.project_id}:{space.api_token}".encode()
    secrets = (space.api_token.encode(), base64.b64encode(pair))
    found = [
        f"output {n}" for n, text in enumerate(texts) if any(s in text.encode() for s in secrets)
    ]
    files = (path for path in folder.rglob("*") if path.is_file())
    return found + [str(path) for path in files if any(s in path.read_bytes() for s in secrets)]


@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault("brands", "respond", status=500),
        Fault("brands", "respond", status=401),
        Fault("brands", "reset"),
        Fault("brands", "respond", status=302, headers={"Location": "http://127.0.0.1:9/"}),
        Fault("/orders", "respond", status=403),
        Fault("/orders", "respond", status=200, body="<html>"),
    ],
    ids=["fine", "500", "401", "reset", "redirect", "403", "html"],
)
def test_nothing_on_disk_or_screen_holds_them(
    space: SimulatedSpace, workspace: Workspace, fault: Fault | None, level: str
) -> None:
    if fault:
        space.faults.add(fault)
    done = workspace.command("run", space=space, RUNTIME__LOG_LEVEL=level)
    assert done.returncode == (0 if fault is None else 3 if fault.body == "<html>" else 1)
    assert list((workspace.folder / "data").rglob("trace.pickle"))
    assert leaks(workspace.folder, done.stdout, done.stderr, space=space) == []


def test_the_search_for_leaks_finds_one(space: SimulatedSpace, workspace: Workspace) -> None:
    (workspace.folder / "notes.txt").write_text(f"token {space.api_token}")
    assert leaks(workspace.folder, space.api_token, space=space) == [
        "output 0",
        str(workspace.folder / "notes.txt"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:PTsecret@acme.signalwire.com",
        "https://acme.signalwire.com:PTsecret",
        "http://PTsecret@127.0.0.1:80",
        "https://[PTsecret",
    ],
)
def test_a_token_that_slipped_into_the_space_is_not_repeated(
    space: SimulatedSpace, workspace: Workspace, url: str
) -> None:
    done = workspace.command("run", space=space, SOURCES__SIGNALWIRE__SPACE=url)
    assert done.returncode == 2
    assert "PTsecret" not in done.stdout + done.stderr


def test_telemetry_is_off_in_any_folder(space: SimulatedSpace, workspace: Workspace) -> None:
    code = (
        "from pipelines.destinations.resolve import find_target; find_target();"
        "from dlt.common.runtime import anon_tracker, run_context;"
        "print(run_context.active().runtime_config.dlthub_telemetry, anon_tracker._THREAD_POOL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False None\n"
