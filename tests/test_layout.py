"""The tree: who may import whom, and that nothing of this machine is in it."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
from pathlib import Path
from pkgutil import resolve_name

import pytest
from support import ROOT

from sources.signalwire import signalwire

# each may import those named, and the simulator nothing of the source
ALLOWED = {
    "dags": {"pipelines"},
    "pipelines": {"pipelines", "sources"},
    "sources": {"sources"},
}
# the rooms of each package from the ground up; a room uses only what lies below it
LAYERS = {
    "pipelines": (
        {"errors"},
        {"destinations"},
        {"loading", "reporting", "publishing"},
        {"dashboard", "signalwire_orders"},
        {"cli", "dag_tasks"},
        {"__main__"},
    ),
    "sources.signalwire": (
        {"errors", "settings", "stats"},
        {"records"},
        {"http", "incremental", "options"},
        {"crawl"},
        {"__init__"},
    ),
}
MOST_ROOMS = {"pipelines": (10, 6), "sources.signalwire": (10, 5)}  # and levels
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


@pytest.mark.parametrize("package", LAYERS)
def test_no_room_uses_one_that_is_not_below_it(package: str) -> None:
    level = {room: n for n, rooms in enumerate(LAYERS[package]) for room in rooms}
    folder = ROOT / package.replace(".", "/")
    wrong = []
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).parts[0].removesuffix(".py")
        if room == "__init__" and room not in level:
            continue
        wrong += [
            f"{path.relative_to(ROOT)}: {used}"
            for used in sorted({room, *rooms_used(path, package)})
            if used not in level or (used != room and level[used] >= level.get(room, 0))
        ]
    assert wrong == []


@pytest.mark.parametrize("package", LAYERS)
def test_rooms_and_levels_are_few(package: str) -> None:
    folder = ROOT / package.replace(".", "/")
    there = {path.relative_to(folder).parts[0].removesuffix(".py") for path in folder.rglob("*.py")}
    # the package itself is a room only where it is more than a docstring
    rooms = {room for level in LAYERS[package] for room in level}
    assert rooms == there - ({"__init__"} - rooms)
    most_rooms, most_levels = MOST_ROOMS[package]
    assert len(rooms) <= most_rooms
    assert len(LAYERS[package]) <= most_levels


def rooms_used(path: Path, package: str) -> set[str]:
    """The rooms of the package that a module imports from, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    inside = (name.removeprefix(f"{package}.") for name in names if name.startswith(f"{package}."))
    rooms = {name.partition(".")[0] for name in inside}
    folder = ROOT / package.replace(".", "/")
    # a name that is no module is one of the package's own
    return {r for r in rooms if (folder / r).is_dir() or (folder / f"{r}.py").exists()}


def test_no_test_file_is_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in (ROOT / "tests").rglob("*.py")
    }
    assert {name: lines for name, lines in lengths.items() if lines > 400} == {}


def test_no_test_replaces_anything_of_dlts() -> None:
    """An upgrade of dlt should break what relies on it, not the tests' own machinery."""
    replacing = re.compile(r"\bsetattr\(owner|(setattr|patch)\(\s*[\"']?(dlt\.|[A-Z])")
    for path in (ROOT / "tests").rglob("*.py"):
        assert not replacing.search(path.read_text(encoding="utf-8")), path


def test_every_step_at_which_a_test_ends_a_run_is_there() -> None:
    """Most of these tests are proof; a function that moved is seen here at once."""
    step = re.compile(r"\"((?:dlt|pipelines|sources)[\w.]*:(?:[A-Z]\w*\.)?[a-z_]\w*)\"")
    for path in [*ROOT.glob("tests/support/*.py"), *ROOT.glob("tests/**/test_*.py")]:
        for place in step.findall(path.read_text(encoding="utf-8")):
            assert callable(resolve_name(place)) or path.name == "test_dlt_internals.py", place


def test_only_the_simulate_command_knows_the_simulator() -> None:
    users = {
        path.name
        for path in (ROOT / "pipelines").rglob("*.py")
        if "sources.simulator" in path.read_text(encoding="utf-8")
    }
    assert users == {"simulate.py"}


@pytest.mark.parametrize("name", ["dev", "run", "airflow", "bi", "extras", "warehouses"])
def test_a_lock_names_hashes_and_no_place(name: str) -> None:
    lock = (ROOT / "requirements" / f"{name}.lock").read_text(encoding="utf-8")
    requirements = [line for line in lock.splitlines() if line and not line.startswith((" ", "#"))]
    assert len(requirements) > 50
    assert lock.count("--hash=sha256:") > len(requirements)
    assert not re.search(r"https?://|index-url|find-links|file:", lock)


def test_the_shipped_defaults_are_the_documented_settings() -> None:
    shipped = ROOT / "pipelines" / "configuration.toml"
    assert shipped.read_text(encoding="utf-8") == (ROOT / ".dlt" / "config.toml").read_text("utf-8")


def test_nothing_secret_or_installed_is_tracked() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    wrong = re.compile(r"secrets\.toml$|\.env$|\.duckdb$|^\.venv|^\.cache|node_modules")
    assert [name for name in tracked if wrong.search(name)] == []


def test_source_and_simulator_know_nothing_of_each_other() -> None:
    for package, other in (("signalwire", "simulator"), ("simulator", "signalwire")):
        for path in (ROOT / "sources" / package).rglob("*.py"):
            assert f"sources.{other}" not in path.read_text(encoding="utf-8"), path


def test_settings_that_messages_name_are_there() -> None:
    named = {
        name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for name in re.findall(r"\bsources\.signalwire\.([\w.]*\w)", node.value)
    }
    modules = {p.stem for p in (ROOT / "sources" / "signalwire").rglob("*.py")}
    assert {"api_token", "space", "workers"} <= named
    assert named - modules <= inspect.signature(signalwire).parameters.keys()
