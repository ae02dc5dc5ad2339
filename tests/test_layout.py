"""The tree: who may import whom, and that nothing of this machine is in it."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest
from support import ROOT

# each may import those named, and the simulator nothing of the source
ALLOWED = {
    "dags": {"pipelines"},
    "pipelines": {"pipelines", "sources"},
    "sources": {"sources"},
}
PACKAGES = {*ALLOWED, "tests", "bench"}
MODULES = [path for package in ALLOWED for path in sorted((ROOT / package).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """The project's packages that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a thing comes from"
            names.add((node.module or "").split(".")[0])
    return names & PACKAGES


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_run_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    assert imported(path) <= ALLOWED[package]


def test_only_the_simulate_command_knows_the_simulator() -> None:
    users = {
        path.name
        for path in (ROOT / "pipelines").rglob("*.py")
        if "sources.simulator" in path.read_text(encoding="utf-8")
    }
    assert users == {"simulate.py"}


@pytest.mark.parametrize("name", ["dev", "run", "airflow"])
def test_a_lock_names_hashes_and_no_place(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) > 50
    assert lock.count("--hash=sha256:") > len(requirements)
    assert not re.search(r"https?://|index-url|find-links|file:", lock)


def test_the_shipped_defaults_are_the_documented_settings() -> None:
    shipped = ROOT / "pipelines" / "configuration.toml"
    assert shipped.read_text(encoding="utf-8") == (ROOT / ".dlt" / "config.toml").read_text("utf-8")


def test_no_secret_file_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert not [name for name in tracked if name.endswith(("secrets.toml", ".env", ".duckdb"))]


def test_source_and_simulator_know_nothing_of_each_other() -> None:
    for package, other in (("signalwire", "simulator"), ("simulator", "signalwire")):
        for path in (ROOT / "sources" / package).rglob("*.py"):
            assert f"sources.{other}" not in path.read_text(encoding="utf-8"), path
