"""A whole Airflow: scheduler, DAG processor and API server as processes, and their end."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import NullPool, create_engine

PARTS = ("api-server", "scheduler", "dag-processor")
PATIENCE = 120.0


class RunningAirflow:
    """Airflow with its home in a folder of its own; by default with SQLite and LocalExecutor."""

    def __init__(
        self, home: Path, dags: Path, environment: Mapping[str, str], metadata: str | None = None
    ) -> None:
        self.home = home
        self._metadata = metadata or f"sqlite:///{home}/airflow.db?timeout=30"
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.execution_api = f"http://127.0.0.1:{port}/execution/"
        self._environment = {
            **os.environ,
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            **environment,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self._metadata,
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": self.execution_api,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(port),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        }
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Makes the metadata and starts the processes, each with a session of its own."""
        self.command("db", "migrate")
        for part in PARTS:
            with (self.home / f"{part}.log").open("ab") as log:
                self._processes[part] = subprocess.Popen(
                    [sys.executable, "-m", "airflow", part],
                    env=self._environment,
                    cwd=self.home,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def stop(self) -> None:
        """Ends the processes and whatever they started, the scheduler first."""
        for part in ("scheduler", "dag-processor", "api-server"):
            if part in self._processes:
                self._processes[part].terminate()
                try:
                    self._processes[part].wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(self._processes[part].pid, signal.SIGKILL)
                    self._processes[part].wait()
        for process in self._processes.values():
            end(process.pid)

    def left(self) -> list[psutil.Process]:
        """The processes of this Airflow that still run."""
        return [left for process in self._processes.values() for left in session(process.pid)]

    def command(self, *arguments: str) -> None:
        """One of Airflow's own commands, to its end."""
        with (self.home / "commands.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "airflow", *arguments],
                env=self._environment,
                cwd=self.home,
                stdout=log,
                stderr=log,
                check=True,
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What Airflow's database says."""
        engine = create_engine(self._metadata, poolclass=NullPool)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(sql)]

    def wait_for(self, what: str, true: Callable[[], bool]) -> None:
        """Returns as soon as something is so; an error that shows the logs when it never is."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            ended = {n: p.returncode for n, p in self._processes.items() if p.poll() is not None}
            if ended or time.monotonic() > deadline:
                raise AssertionError(f"never: {what}; ended: {ended}\n{self.logs()[-20_000:]}")
            time.sleep(0.1)

    def logs(self) -> str:
        """Everything that was logged."""
        return "\n".join(
            f"{path}:\n{path.read_text(errors='replace')}" for path in self.home.rglob("*.log")
        )


def session(leader: int) -> list[psutil.Process]:
    """The processes that still run of what was started as a session."""

    def belongs(process: psutil.Process) -> bool:
        try:
            return os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, psutil.Error):
            return False

    return [process for process in psutil.process_iter() if belongs(process)]


def end(leader: int) -> None:
    """Kills a session, and returns when nothing of it runs."""
    while left := session(leader):
        for process in left:
            with suppress(psutil.Error):
                process.kill()


@contextmanager
def running_airflow(
    home: Path, dags: Path, environment: Mapping[str, str], metadata: str | None = None
) -> Iterator[RunningAirflow]:
    """An Airflow that runs, and of which nothing runs afterwards."""
    airflow = RunningAirflow(home, dags, environment, metadata)
    try:
        airflow.start()
        yield airflow
    finally:
        airflow.stop()
