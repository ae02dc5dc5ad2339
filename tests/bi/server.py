"""A Superset of the tests' own, in its own environment, with its metadata in PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from support import ROOT
from support.postgres_server import free_port

PROGRAMS = ROOT / ".venv-bi" / "bin"
USER, PASSWORD = "admin", "admin"
CONFIGURATION = """
SECRET_KEY = "only for tests, and as long as Superset wants it to be"
SQLALCHEMY_DATABASE_URI = {metadata!r}
TALISMAN_ENABLED = False  # it sends browsers from http to https
WTF_CSRF_ENABLED = False
"""
# seconds after which it counts as broken
LONGEST_START = 120


class Superset:
    """A running Superset, and an administrator's session."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def log_in(self) -> None:
        credentials = {"username": USER, "password": PASSWORD, "provider": "db"}
        token = self.call("POST", "/api/v1/security/login", json=credentials)["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self._session.request(method, self.url + path, timeout=60, **options)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()

    def import_dashboard(self, bundle: Path, password: str | None = None) -> int:
        """What a click on Import dashboards does; the new dashboard's id."""
        before = self.dashboards().keys()
        passwords = json.dumps({"databases/signalwire_orders.yaml": password} if password else {})
        with bundle.open("rb") as file:
            self.call(
                "POST", "/api/v1/dashboard/import/",
                files={"formData": file}, data={"passwords": passwords, "overwrite": "true"},
            )  # fmt: skip
        (new,) = self.dashboards().keys() - before
        return int(new)

    def import_assets(self, bundle: Path) -> None:
        """The import that replaces charts and datasets too."""
        with bundle.open("rb") as file:
            self.call("POST", "/api/v1/assets/import/", files={"bundle": file})

    def dashboards(self) -> Mapping[int, str]:
        found = self.call("GET", "/api/v1/dashboard/")["result"]
        return {row["id"]: row["dashboard_title"] for row in found}

    def titles(self, dashboard: int) -> dict[int, str]:
        """The titles of a dashboard's charts by their ids."""
        charts = self.call("GET", f"/api/v1/dashboard/{dashboard}/charts")["result"]
        return {chart["id"]: chart["slice_name"] for chart in charts}

    def chart_rows(self, dashboard: int) -> dict[str, list[dict[str, Any]]]:
        """What each chart of a dashboard queries, by its title."""
        return {title: self._rows(number) for number, title in self.titles(dashboard).items()}

    def _rows(self, chart: int) -> list[dict[str, Any]]:
        (result,) = self.call("GET", f"/api/v1/chart/{chart}/data/?force=true")["result"]
        assert result["error"] is None
        rows: list[dict[str, Any]] = result["data"]
        return rows


@contextmanager
def running_superset(folder: Path, metadata: str) -> Iterator[Superset]:
    """A Superset with its files in a folder, and its metadata at a URL of PostgreSQL."""
    configuration = folder / "superset_config.py"
    metadata = metadata.replace("postgresql://", "postgresql+psycopg2://")
    configuration.write_text(CONFIGURATION.format(metadata=metadata))
    environment = {
        **os.environ,
        "SUPERSET_CONFIG_PATH": str(configuration),
        "SUPERSET_HOME": str(folder),
        "FLASK_APP": "superset.app",
        "TZ": "UTC",
    }
    name = ("--firstname", "A", "--lastname", "B", "--email", "a@example.com")
    for arguments in (
        ("db", "upgrade"),
        ("fab", "create-admin", "--username", USER, "--password", PASSWORD, *name),
        ("init",),
    ):
        _run([PROGRAMS / "superset", *arguments], environment)
    port = free_port()
    command = [
        PROGRAMS / "gunicorn", "--worker-class", "gthread", "--threads", "8",
        "--timeout", "120", "--bind", f"127.0.0.1:{port}", "superset.app:create_app()",
    ]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            superset = Superset(f"http://127.0.0.1:{port}")
            wait_for(f"{superset.url}/health", process, folder / "log")
            superset.log_in()
            yield superset
        finally:
            process.terminate()
            process.wait(30)


def _run(command: list[Any], environment: Mapping[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + LONGEST_START
    while True:
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"it did not start: {log.read_text()[-4000:]}")
        time.sleep(0.2)
