"""Runs a command and tells what it took, from a process too small to be counted in.

What a process is forked from counts in the peak memory the kernel tells of it; so whoever measures
starts this module between: `launch(command, …)`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
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


def launch(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Cost:
    """Runs a command in `folder` to its end, and returns what it took.

    Raises:
        Failed: it ended with an error.
    """
    said = folder / "said.txt"
    done = subprocess.run(
        [sys.executable, "-S", __file__, str(said), *command],
        env=os.environ | AS_INSTALLED | dict(environment),
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    told = json.loads(done.stdout)
    if told.pop("status"):
        raise Failed(said.read_text(errors="replace")[-2000:])
    return Cost(**told)


def main(said: str, *command: str) -> None:
    """Runs the command, with its output in the file `said`, and prints its cost as JSON."""
    began = time.perf_counter()
    with Path(said).open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
    cost = {
        "seconds": time.perf_counter() - began,
        "processor": used.ru_utime + used.ru_stime,
        "memory": used.ru_maxrss * 1024 / 1e6,
        "status": status,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main(*sys.argv[1:])
