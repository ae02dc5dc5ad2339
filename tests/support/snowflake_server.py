"""A server that runs Snowflake's SQL, in the environment of `make test-warehouses`."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from support.postgres_server import free_port
from support.workspace import ROOT

PYTHON = ROOT / ".venv-warehouses" / "bin" / "python"
ENGINE = Path(__file__).with_name("snowflake_engine.py")


class SnowflakeServer:
    """A running server, with a database for each test."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        log = folder / "log"
        self._folder = folder / "staged"
        self._folder.mkdir()
        self._numbers = count()
        with log.open("w") as output:
            self._process = subprocess.Popen(
                [PYTHON, ENGINE, str(self.port)],
                stdout=output,
                stderr=output,
                # where fakesnow keeps them
                env=os.environ | {"TMPDIR": str(self._folder)},
            )
        while not self._answers():
            if self._process.poll() is not None:
                raise RuntimeError(f"fakesnow did not start: {log.read_text()}")
            time.sleep(0.05)

    def new_database(self) -> tuple[int, str]:
        """The port, and the name of a database that is not there yet."""
        return self.port, f"ORDERS_{next(self._numbers)}"

    def _answers(self) -> bool:
        with closing(socket.socket()) as tried:
            return tried.connect_ex(("127.0.0.1", self.port)) == 0

    def staged_files(self) -> list[Path]:
        """Files that have been uploaded and are still there."""
        return [path for path in Path(self._folder).rglob("*") if path.is_file()]

    def stop(self) -> None:
        self._process.kill()
        self._process.wait(30)


@contextmanager
def running_snowflake() -> Iterator[SnowflakeServer]:
    """A server that keeps everything in memory."""
    with tempfile.TemporaryDirectory(prefix="snowflake-") as folder:
        server = SnowflakeServer(Path(folder))
        try:
            yield server
        finally:
            server.stop()
