"""Celery workers as on several machines: a broker, and a home, DAGs and data for each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
import redis
from scheduler import end, session
from support.postgres_server import free_port

# seconds after which the broker delivers messages again that no worker has acknowledged
REDELIVERED_AFTER = 30
SLOTS = 2


@contextmanager
def running_broker() -> Iterator[str]:
    """The URL of a Redis server on loopback that keeps nothing."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        port = free_port()
        with (
            (Path(folder) / "log").open("wb") as log,
            subprocess.Popen(
                ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""],
                cwd=folder,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                url = f"redis://127.0.0.1:{port}/0"
                _wait(url, process, Path(folder) / "log")
                yield url
            finally:
                process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.ConnectionError:
                if process.poll() is not None:
                    raise RuntimeError(f"Redis did not start: {log.read_text()}") from None
                time.sleep(0.05)
            else:
                return


def messages(broker: str) -> int:
    """The messages that wait for a worker, or that a worker has not acknowledged."""
    with redis.Redis.from_url(broker) as client:
        return client.llen("default") + client.hlen("unacked")


def celery(broker: str, metadata: str) -> dict[str, str]:
    """Airflow's settings for this executor, with what it waits for kept short."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": broker,
        "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{metadata}",
        "AIRFLOW__CELERY__SYNC_PARALLELISM": "1",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": str(REDELIVERED_AFTER),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "1",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "15",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "1",
        "AIRFLOW__LOGGING__TASK_LOGS_TO_STDOUT": "True",
    }


class Worker:
    """A Celery worker with separate folders; Airflow notes its name as the user of a task."""

    def __init__(
        self, name: str, folder: Path, dags: Path, log: Path, environment: Mapping[str, str]
    ) -> None:
        self.name, self.folder, self._log = name, folder, log
        for part in ("airflow", "home", "data", "project", "tmp"):
            (folder / part).mkdir(parents=True)
        shutil.copytree(dags, folder / "dags")
        self._environment = {
            "PATH": os.environ["PATH"],
            **environment,
            "LOGNAME": name,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "DLT_DATA_DIR": str(folder / "data"),
            "DLT_PROJECT_DIR": str(folder / "project"),
            "AIRFLOW_HOME": str(folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }

    def start(self) -> None:
        """Starts it as a session."""
        options = ["--concurrency", str(SLOTS), "--celery-hostname", self.name, "--skip-serve-logs"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "airflow", "celery", "worker", *options],
                env=self._environment,
                cwd=self.folder / "home",
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def vanish(self) -> None:
        """Kills every process of it, without a warning, and removes its folders."""
        self.end()
        shutil.rmtree(self.folder)

    def end(self) -> None:
        """Kills what still runs of it."""
        end(self._process.pid)
        self._process.wait()

    def left(self) -> list[psutil.Process]:
        """The processes of it that still run."""
        return session(self._process.pid)


@contextmanager
def running_worker(
    name: str, folder: Path, dags: Path, log: Path, environment: Mapping[str, str]
) -> Iterator[Worker]:
    """A worker that runs, and of which nothing runs afterwards."""
    worker = Worker(name, folder, dags, log, environment)
    worker.start()
    try:
        yield worker
    finally:
        worker.end()
