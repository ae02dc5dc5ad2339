"""Processes that are forked from one that has imported everything and done nothing.

To import dlt takes a second, which is most of what a command takes; hundreds of commands and
dozens of shards are started by the tests.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path

from support.at_call import Action, at_call

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["pipelines.cli.main", "pipelines.signalwire_orders", "pipelines.reporting.views", "psycopg2"]
)
# what Python itself reads when it starts, so that a fork would not heed it
READ_AT_START = ("PYTHON", "LC_", "LANG")
STARTED_WITH = dict(os.environ)


def can_be_forked(environment: Mapping[str, str]) -> bool:
    """Whether a command with this environment does the same if it is forked."""
    names = {name for name, value in environment.items() if STARTED_WITH.get(name) != value}
    return not any(name.startswith(READ_AT_START) for name in names)


def command(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    at: tuple[str, int, Action] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:
    """The command line with these arguments in a process of its own.

    `at` is what happens in it at a certain call, as `at_call` takes it.
    """
    with tempfile.TemporaryDirectory() as place:
        out, err = Path(place, "out"), Path(place, "err")
        process = CONTEXT.Process(
            target=_command, args=(list(arguments), str(folder), dict(environment), out, err, at)
        )
        process.start()
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), timeout)
        texts = [path.read_text("utf-8") if path.exists() else "" for path in (out, err)]
        assert process.exitcode is not None
        return subprocess.CompletedProcess(list(arguments), process.exitcode, *texts)


def _command(
    arguments: list[str],
    folder: str,
    environment: dict[str, str],
    out: Path,
    err: Path,
    at: tuple[str, int, Action] | None,
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, path in ((0, os.devnull), (1, out), (2, err)):
        os.dup2(os.open(path, os.O_RDWR | os.O_CREAT), number)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115
    from pipelines.cli.main import main

    with at_call(*at) if at else nullcontext():
        code = main(arguments)
    threading._shutdown()  # type: ignore[attr-defined]
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
