"""Settings and options that cannot work: refused with a sentence before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import Workspace

from pipelines.signalwire_orders import run
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

RANGES = {
    "WORKERS": "a whole number from 1 to 64",
    "PAGE_SIZE": "a whole number from 1 to 1000",
    "REQUEST_TIMEOUT": "a number from 0.01 to 2678400",
    "REQUEST_MAX_ATTEMPTS": "a whole number from 1 to 1000000",
    "REQUEST_BACKOFF_FACTOR": "a number from 0 to 2678400",
    "REQUEST_MAX_RETRY_DELAY": "a number from 0 to 2678400",
    "FULL_WALK_EVERY": "a number from 0 to 10000000000",
    "SETTLE_AFTER": "a number from 0 to 10000000000",
}
BAD = ["inf", "nan", "-1", "true", "soon", "1e300"]
ZERO = ["WORKERS", "PAGE_SIZE", "REQUEST_TIMEOUT", "REQUEST_MAX_ATTEMPTS"]
OTHERS = [
    ("REPORTS__TARGETS", "[1, Infinity]", "reports.targets"),
    ("REPORTS__TARGETS", "[true, 24]", "reports.targets"),
    ("REPORTS__TARGETS", '{"24": 1}', "reports.targets"),
    ("REPORTS__TARGETS", "[24, 0]", "reports.targets"),
    ("REPORTS__MAIN_TARGET", "5", "reports.main_target"),
    ("REPORTS__MAIN_TARGET", "nan", "reports.main_target"),
    ("REPORTS__APPLY", "maybe", "reports.apply"),
    ("REPORTS__PUBLISH", "nowhere/copy.duckdb", "there is no folder"),
    ("REPORTS__PUBLISH", "~no-such-user/copy.duckdb", "publish"),
    ("RUNTIME__LOG_LEVEL", "CHATTY", "runtime"),
    ("SOURCES__SIGNALWIRE__FULL", "perhaps", "full"),
    ("SOURCES__SIGNALWIRE__RESOURCES", "orders", "resources"),
]


def require_refused(
    workspace: Workspace, space: SimulatedSpace, *arguments: str, words: str, **variables: str
) -> None:
    done = workspace.command(*arguments, space=space, **variables)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
    assert space.journal.requests == 0


@pytest.mark.parametrize("name", RANGES)
def test_numbers_out_of_their_range(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from pipelines.errors.explain import explain

    for variable, value in workspace.credentials(space).items():
        monkeypatch.setenv(variable, value)
    for value in BAD + (["0"] if name in ZERO else []):
        monkeypatch.setenv(f"SOURCES__SIGNALWIRE__{name}", value)
        with pytest.raises(Exception) as raised:  # noqa: PT011 - its sentence is what counts
            run()
        sentence, code = explain(raised.value)
        assert code == 2
        assert f"sources.signalwire.{name.lower()}" in sentence
        assert RANGES[name] in sentence
    assert space.journal.requests == 0


@pytest.mark.parametrize("value", [True, "4", 2.5, float("nan"), None])
def test_numbers_of_another_type_from_python(
    space: SimulatedSpace, workspace: Workspace, value: object
) -> None:
    if value is not None:
        with pytest.raises(Exception, match="workers"):
            workspace.run(space, workers=value)
    with pytest.raises(ConfigurationError, match="wait"):
        workspace.run(space, wait=True if value is None else value if value != 2.5 else -2.5)
    assert space.journal.requests == 0


@pytest.mark.parametrize(
    ("command", "variable", "value", "words"),
    # only runs publish
    [("run", *other) for other in OTHERS]
    + [("check", *other) for other in OTHERS if other[0] != "REPORTS__PUBLISH"],
)
def test_every_other_setting(
    space: SimulatedSpace,
    workspace: Workspace,
    command: str,
    variable: str,
    value: str,
    words: str,
) -> None:
    require_refused(workspace, space, command, words=words, **{variable: value})
    assert not workspace.database.exists()


@pytest.mark.parametrize("name", ["WORKERS", "REQUEST_TIMEOUT", "PAGE_SIZE"])
def test_check_refuses_what_a_run_would(
    space: SimulatedSpace, workspace: Workspace, name: str
) -> None:
    variable = f"SOURCES__SIGNALWIRE__{name}"
    require_refused(workspace, space, "check", words=RANGES[name], **{variable: "0"})


def test_a_wait_that_is_too_long_is_refused_by_every_command(
    space: SimulatedSpace, workspace: Workspace
) -> None:
    workspace.run(space)
    for command in (["run"], ["publish", "copy.duckdb"]):
        done = workspace.command(*command, "--wait", "99999999999", space=space)
        assert done.returncode == 2, done.stderr
        assert "wait is 99999999999.0; it has to be a number of seconds" in done.stderr
    assert not (workspace.folder / "copy.duckdb").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--wait", "inf"], "--wait"),
        (["run", "--wait", "nan"], "--wait"),
        (["run", "--wait", "-1"], "--wait"),
        (["publish", "x.duckdb", "--wait", "soon"], "--wait"),
        (["run", "--workers", "ten"], RANGES["WORKERS"]),
        (["run", "--workers", "2.5"], RANGES["WORKERS"]),
        (["report", "--limit", "9" * 30], "--limit"),
        (["report", "--limit", "-1"], "--limit"),
        (["check", "--max-age", "9" * 400 + "d"], "--max-age"),
        (["check", "--max-stuck", "nan"], "--max-stuck"),
        (["simulate", "--port", "nan"], "--port"),
        (["simulate", "--latency-ms", "nan"], "--latency-ms"),
        (["simulate", "--speed", "inf"], "--speed"),
        (["query", ""], "SQL"),
        (["query", " "], "SQL"),
        (["query", ";"], "SQL"),
        (["query", "-- nothing\n/* at all */ ;"], "SQL"),
        (["dashboard", "--out", "."], "folder"),
        (["dashboard", "--out", ""], "--out"),
        (["run", "--metrics-file", ""], "--metrics-file"),
        (["run", "--publish", ""], "--publish"),
        (["run", "--shard", ""], "--shard"),
        (["run", "--campaign", " "], "--campaign"),
        (["run", "--brand", ""], "--brand"),
        (["run", "--state", ""], "--state"),
        (["run", "--dataset", ""], "--dataset"),
        (["run", "--destination", ""], "--destination"),
        (["publish", ""], "PATH"),
        (["report", ""], "REPORT"),
        (["report", "--campaign", ""], "--campaign"),
        (["reports", "show", ""], "REPORT"),
        (["reports", "show", "--dialect", ""], "--dialect"),
        (["demo", "--folder", ""], "--folder"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_options_that_cannot_work(
    space: SimulatedSpace, workspace: Workspace, arguments: list[str], words: str
) -> None:
    require_refused(workspace, space, *arguments, words=words)
    assert sorted(path.name for path in workspace.folder.iterdir()) in ([], ["data"])


# each is a URL that does not fit the destination
FOREIGN = [
    ("duckdb", "postgresql://me:PTsecret@db.example/orders"),
    ("duckdb", "mysql://me:PTsecret@db.example:port/orders"),
    ("duckdb", "sqlite:///orders.sqlite"),
    ("postgres", "duckdb:///orders.duckdb"),
    ("postgres", "mysql://me:PTsecret@db.example/orders"),
    ("postgres", "postgresql+psycopg2://me:PTsecret@127.0.0.1:1/orders"),
    ("postgres", "PTsecret"),
]


@pytest.mark.parametrize(("destination", "url"), FOREIGN)
@pytest.mark.parametrize("command", ["run", "query"])
def test_the_url_of_another_kind_of_database(
    space: SimulatedSpace, workspace: Workspace, command: str, destination: str, url: str
) -> None:
    workspace.environment.pop("DESTINATION__DUCKDB__CREDENTIALS")
    done = workspace.command(
        *([command] if command == "run" else [command, "SELECT 1"]),
        "--destination",
        destination,
        space=space,
        **{
            f"DESTINATION__{destination.upper()}__CREDENTIALS": url,
            "DLT_LOCAL_DIR": str(workspace.folder),
        },
    )
    assert done.returncode == 2, done.stderr
    assert destination in done.stderr.lower()
    logs = "".join(path.read_text() for path in (workspace.folder / "data").glob("*.log"))
    assert "PTsecret" not in done.stdout + done.stderr + logs
    assert [path.name for path in Path(workspace.folder).iterdir()] == ["data"]
    assert space.journal.requests == 0
