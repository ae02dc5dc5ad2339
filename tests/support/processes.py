"""Runs in other processes, while the test goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

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
