"""A message when a run fails or is not complete, one when that is over, and none between."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from support import Workspace
from support.at_call import terminate
from support.receivers import MailServer, Webhook

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from sources.simulator import Fault, SimulatedSpace

DOWN = Fault("brands", "respond", status=401)
UNREADABLE = Fault("/orders", "respond", status=200, body="<html>")


def state_of(workspace: Workspace) -> dict[str, dict[str, object]]:
    """What the one state file holds."""
    (path,) = workspace.folder.rglob("*.alerts.json")
    found: dict[str, dict[str, object]] = json.loads(path.read_text())
    return found


@pytest.mark.proof
def test_a_failure_is_told_once_and_so_is_its_end(
    space: SimulatedSpace, told: Workspace, hook: Webhook, mail: MailServer
) -> None:
    told.environment["NOTIFY__URLS"] = json.dumps([hook.url, mail.url])
    space.faults.add(DOWN)
    assert [told.command("run", space=space).returncode for _ in range(2)] == [1, 1]
    (message,) = hook.posted
    assert (message["title"], message["type"]) == ("signalwire-orders: run failed", "failure")
    said, since, more, empty, where = message["message"].splitlines()
    assert "401" in said
    assert since.startswith("since 20")
    assert since.endswith(" UTC")
    assert more == "more: signalwire-orders check"
    assert (empty, where) == ("", f"where: duckdb:///{told.database}, dataset signalwire")
    space.faults.clear()
    assert [told.command("run", space=space).returncode for _ in range(2)] == [0, 0]
    assert hook.titles == ["run failed", "resolved: run failed"]
    assert hook.posted[1]["type"] == "success"
    assert "well again; it had lasted 0 min, since 20" in hook.posted[1]["message"]
    assert state_of(told) == {}
    # the same by mail, as a program for mail reads it
    assert [m["Subject"] for m in mail.mails] == [m["title"] for m in hook.posted]
    assert mail.mails[0]["To"] == "team@example.com"
    assert mail.texts[0].split() == [*message["title"].split(), *message["message"].split()]
    assert mail.logins[0] == ["", "orders", "Hush-mail-7"]


def test_a_run_that_was_well_all_along_tells_nothing(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    assert told.command("run", space=space).returncode == 0
    assert hook.posted == []
    assert list(told.folder.rglob("*alerts*")) == []


@pytest.mark.proof
def test_lists_that_could_not_be_read(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    space.faults.add(UNREADABLE)
    assert [told.command("run", space=space).returncode for _ in range(2)] == [3, 3]
    assert hook.titles == ["run not complete"]
    lines = hook.posted[0]["message"].splitlines()
    assert lines[0].startswith("4 lists could not be read")
    assert len([line for line in lines if line.startswith("  ")]) == 4
    # the command that shows more does
    command = next(line for line in lines if line.startswith("more: ")).removeprefix("more: ")
    done = told.command(*shlex.split(command)[1:])
    assert len(done.stdout.splitlines()) == 1 + 4
    space.faults.clear()
    assert told.command("run", space=space).returncode == 0
    assert hook.titles == ["run not complete", "resolved: run not complete"]


@pytest.mark.proof
def test_of_many_lists_the_first_five_are_shown(
    open_space: object, told: Workspace, hook: Webhook
) -> None:
    space: SimulatedSpace = open_space(brands=2, campaigns=4)  # type: ignore[operator]
    space.faults.add(UNREADABLE)
    assert told.command("run", space=space).returncode == 3
    shown = [line for line in hook.posted[0]["message"].splitlines() if line.startswith("  ")]
    assert len(shown) == 6
    assert shown[5] == "  and 3 more"


@pytest.mark.proof
def test_a_limited_run_says_nothing_of_the_rest(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    space.faults.add(UNREADABLE)
    assert told.command("run", space=space).returncode == 3
    space.faults.clear()
    assert told.command("run", "--state", "pending", space=space).returncode == 0
    assert hook.titles == ["run not complete"]
    space.faults.add(UNREADABLE)
    assert told.command("run", "--state", "pending", space=space).returncode == 3
    assert "limited to state=pending" in hook.posted[1]["message"]
    space.faults.clear()
    # a complete run resolves both
    assert told.command("run", space=space).returncode == 0
    assert hook.titles[2:] == ["2 resolved"]
    assert hook.posted[2]["message"].count("resolved: run not complete") == 2


@pytest.mark.proof
def test_an_interrupted_run_and_one_that_found_another_are_no_news(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    step = ("dlt.pipeline.pipeline:Pipeline.normalize", 1, terminate)
    assert told.command("run", space=space, at=step).returncode == 143
    with exclusive(find_target(), 0):
        assert told.command("run", space=space).returncode == 4
    assert told.command("run", space=space).returncode == 0
    assert hook.posted == []


@pytest.mark.proof
def test_a_place_that_is_not_known(space: SimulatedSpace, told: Workspace, hook: Webhook) -> None:
    wrong = {"DESTINATION__DUCKDB__CREDENTIALS": "postgresql://me:Hush-db-3@127.0.0.1/orders"}
    for _ in range(2):
        assert told.command("run", space=space, **wrong).returncode == 2
    assert hook.titles == ["run failed"]
    assert "where: not known" in hook.posted[0]["message"]
    assert "Hush-db-3" not in json.dumps(hook.posted)
    assert told.command("run", space=space).returncode == 0
    assert hook.titles == ["run failed", "resolved: run failed"]
    assert told.command("run", space=space).returncode == 0
    assert len(hook.posted) == 2


@pytest.mark.proof
def test_metrics_and_messages_agree_on_what_failed(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    """A wrong `--metrics-file` is a failed run; a wrong URL is in the metrics."""
    (told.folder / "notes.txt").write_text("mine")
    done = told.command("run", "--metrics-file", "notes.txt", space=space)
    assert (done.returncode, hook.titles) == (2, ["run failed"])
    done = told.command("run", "--metrics-file", "a.prom", space=space, NOTIFY__URLS="what")
    assert done.returncode == 2
    assert "run_exit_code 2" in (told.folder / "a.prom").read_text()


@pytest.mark.proof
@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '{"run": 1}', '{"run": {"since": "never", "title": "", "told": 1}}']
)
def test_a_damaged_state_is_an_empty_one(
    space: SimulatedSpace, told: Workspace, hook: Webhook, text: str
) -> None:
    space.faults.add(DOWN)
    assert told.command("run", space=space).returncode == 1
    (path,) = told.folder.rglob("*.alerts.json")
    path.write_text(text)
    done = told.command("run", space=space)
    assert done.returncode == 1
    assert f"{path} cannot be read" in done.stderr
    assert hook.titles == ["run failed", "run failed"]
    assert told.command("run", space=space).returncode == 1
    assert len(hook.posted) == 2


@pytest.mark.proof
def test_the_state_outlives_the_working_folder(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    assert told.command("run", space=space).returncode == 0
    space.faults.add(DOWN)
    assert told.command("run", space=space).returncode == 1
    (path,) = told.folder.rglob("*.alerts.json")
    working: Path = path.parent / "signalwire_orders"
    assert working.is_dir()
    working.rename(told.folder / "gone")
    assert told.command("run", space=space).returncode == 1
    assert hook.titles == ["run failed"]
