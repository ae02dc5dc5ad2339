"""Commands in other processes: runs while the test goes on, and what a terminal shows."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sources.simulator import SimulatedSpace
from support.workspace import Workspace


@contextmanager
def started(
    workspace: Workspace, space: SimulatedSpace, *arguments: str, **options: object
) -> Iterator[subprocess.Popen[str]]:
    """A run in another process, while this one goes on."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run", *arguments],
        cwd=workspace.folder,
        env=os.environ | workspace.environment | workspace.credentials(space),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_requests(space: SimulatedSpace, count: int) -> None:
    """Until a run in another process is under way."""
    deadline = time.monotonic() + 60
    while space.journal.requests < count:
        assert time.monotonic() < deadline, "the run did not begin"
        time.sleep(0.01)


def on_a_terminal(workspace: Workspace, command: tuple[str, ...], **variables: str) -> str:
    """All that the command shows on a terminal of its own."""
    main, other = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "pipelines", *command],
        cwd=workspace.folder,
        env=os.environ | workspace.environment | {"TERM": "xterm"} | variables,
        stdin=other,
        stdout=other,
        stderr=other,
    ):
        os.close(other)
        shown = b""
        with suppress(OSError):  # what the end of the process is on a terminal
            while part := os.read(main, 65536):
                shown += part
    os.close(main)
    return shown.decode(errors="surrogateescape")
