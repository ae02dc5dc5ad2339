"""Runs a command and tells what it took, from a process too small to be counted in.

What a process is forked from counts in the peak memory the kernel tells of it; so whoever measures
starts this module between: `launch(command, …)`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

# an installed package has its bytecode; empty is like unset
AS_INSTALLED = {"PYTHONDONTWRITEBYTECODE": ""}


class Cost(NamedTuple):
    """What a process and its children took.

    Seconds by the clock and of processor time; memory in MB (10^6 bytes), of the largest process.
    """

    seconds: float
    processor: float
    memory: float


class Failed(Exception):
    """The command ended with an error; its message is the end of what it said."""


class TookTooLong(Exception):
    """The command was ended, because it had not done by itself in time."""


def launch(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    longest: float = threading.TIMEOUT_MAX,
) -> Cost:
    """Runs a command in `folder` to its end, and returns what it took.

    Raises:
        Failed: it ended with an error.
        TookTooLong: it was ended after `longest` seconds.
    """
    said = folder / "said.txt"
    done = subprocess.run(
        [sys.executable, "-S", __file__, str(said), str(longest), *command],
        env=os.environ | AS_INSTALLED | dict(environment),
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    if told["seconds"] > longest:
        raise TookTooLong
    if told.pop("status"):
        raise Failed(said.read_text(errors="replace")[-2000:])
    return Cost(**told)


def main(said: str, longest: str, *command: str) -> None:
    """Runs the command, with its output in the file `said`, and prints its cost as JSON."""
    began = time.perf_counter()
    with Path(said).open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        end = threading.Timer(float(longest), os.killpg, (process.pid, signal.SIGKILL))
        end.daemon = True
        end.start()
        _, status, used = os.wait4(process.pid, 0)
        end.cancel()
    cost = {
        "seconds": time.perf_counter() - began,
        "processor": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024 / 1e6,
        "status": status,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
