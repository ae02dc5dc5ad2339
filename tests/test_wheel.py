"""The built wheel in environments with nothing else: every command works, with and without extras.

The extra `airflow` is left out: it is Airflow alone, which `make test-airflow` installs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from support import ROOT, Workspace, true_orders
from support.installing import copy_of_sources, pins_of
from support.receivers import webhook

from sources.simulator import SimulatedSpace

pytestmark = pytest.mark.proof
COMMANDS = [
    "run", "check", "report", "reports", "dashboard", "bi", "publish", "query", "notify",
    "simulate", "demo",
]  # fmt: skip
Installed = Callable[[str], "Installation"]


class Installation(NamedTuple):
    """An environment with the wheel, and a folder of a user's that knows nothing of the clone."""

    bin: Path
    workspace: Workspace

    def command(
        self, *arguments: str, space: SimulatedSpace | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The installed command, as a user calls it; it has to end well."""
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.workspace.folder)}
        environment |= self.workspace.environment
        environment |= self.workspace.credentials(space) if space else {}
        done = subprocess.run(
            [self.bin / "signalwire-orders", *arguments],
            cwd=self.workspace.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = copy_of_sources(tmp_path_factory.mktemp("sources"))
    built = tmp_path_factory.mktemp("wheel")
    pip(sys.executable, "wheel", "--no-deps", "--no-build-isolation", "-w", str(built), str(copy))
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Makes an environment with the wheel and these extras, at the versions of the lock."""
    pins = pins_of("run.lock", tmp_path_factory.mktemp("pins"))

    def install(extra: str) -> Installation:
        folder = tmp_path_factory.mktemp(extra or "plain")
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        python = folder / "venv" / "bin" / "python"
        what = f"{wheel}[{extra}]" if extra else str(wheel)
        pip(str(python), "install", "--constraint", str(pins), what)
        (folder / "home").mkdir()
        return Installation(python.parent, Workspace(folder / "home"))

    return install


def pip(python: str, *arguments: str) -> None:
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
    subprocess.run([python, "-m", "pip", *arguments, *quiet], check=True)


def test_what_is_in_it(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names} == {
        "pipelines", "sources", f"{wheel.name.rsplit('-', 3)[0]}.dist-info",
    }  # fmt: skip
    assert {"pipelines/py.typed", "sources/py.typed", "pipelines/configuration.toml"} <= {*names}
    for package in ("pipelines", "sources"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and path.suffix not in (".pyc", ".md"):
                assert str(path.relative_to(ROOT)) in names, "the wheel lacks it"


def test_without_extras(installed: Installed, space: SimulatedSpace) -> None:
    plain = installed("")
    assert top_of_site_packages(plain) == {"pipelines", "sources"}
    for command in COMMANDS:
        assert "usage: signalwire-orders" in plain.command(command, "--help").stdout
    assert "48 orders loaded" in plain.command("run", space=space).stdout
    everything_of_the_reader(plain, space)


def test_with_the_simulator(installed: Installed) -> None:
    simulator = installed("simulator")
    assert "orders loaded" in simulator.command("demo").stdout
    with subprocess.Popen(
        [simulator.bin / "signalwire-orders", "simulate"],
        cwd=simulator.workspace.folder,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdout
        where = json.loads(server.stdout.readline())
        for name, value in where.items():
            setting = "SPACE" if name == "url" else name.upper()
            simulator.workspace.environment[f"SOURCES__SIGNALWIRE__{setting}"] = value
        assert "600 orders loaded" in simulator.command("run").stdout
        server.terminate()


def test_with_postgres(
    installed: Installed,
    space: SimulatedSpace,
    postgres_workspace: Workspace,
) -> None:
    postgres = installed("postgres")
    postgres = postgres._replace(workspace=postgres_workspace)
    assert "48 orders loaded" in postgres.command("run", space=space).stdout
    everything_of_the_reader(postgres, space)


def test_with_notify(installed: Installed) -> None:
    notify = installed("notify")
    with webhook() as hook:
        notify.workspace.environment["NOTIFY__URLS"] = hook.url
        assert notify.command("notify", "--test").stdout == "ok    number 1 (json)\n"
        assert hook.titles == ["test"]


def everything_of_the_reader(user: Installation, space: SimulatedSpace) -> None:
    """Every command that reads what was loaded."""
    assert user.workspace.orders() == true_orders(space)
    assert "48" in user.command("query", "SELECT count(*) FROM orders").stdout
    user.command("check", space=space)
    rows = json.loads(user.command("report", "backlog", "--format", "json").stdout)
    assert rows
    assert "backlog" in user.command("reports", "list").stdout
    user.command("reports", "apply")
    user.command("dashboard", "--out", "page.html")
    assert "vegaEmbed" in (user.workspace.folder / "page.html").read_text(encoding="utf-8")
    user.command("bi", "superset", "orders.zip", "--database-uri", "duckdb:///copy.duckdb")
    user.command("publish", "copy.duckdb")
    assert (user.workspace.folder / "copy.duckdb").stat().st_size > 100_000


def top_of_site_packages(user: Installation) -> set[str]:
    """The names that the installed project takes there."""
    (record,) = (user.bin.parent / "lib").glob("*/site-packages/signalwire_orders-*/RECORD")
    tops = {line.partition("/")[0] for line in record.read_text(encoding="utf-8").splitlines()}
    return {top for top in tops if not top.endswith(".dist-info")} - {".."}
