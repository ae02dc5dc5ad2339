"""A message when a check turns bad, and one when it is well again."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from support import Workspace
from support.receivers import Webhook

from pipelines.destinations.resolve import find_target
from pipelines.loading.notify.triggers import notify_findings
from sources.signalwire.http.access_check import Probed
from sources.simulator import Fault, SimulatedSpace

# a module of Apprise's imports one that Python will not have any more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
OLD, YOUNG = ("check", "--max-age", "0s"), ("check", "--max-age", "1h")


def codes(workspace: Workspace, space: SimulatedSpace, *commands: tuple[str, ...]) -> list[int]:
    return [workspace.command(*command, space=space).returncode for command in commands]


def test_turning_bad_and_well(space: SimulatedSpace, told: Workspace, hook: Webhook) -> None:
    assert codes(told, space, ("run",), YOUNG, OLD, OLD) == [0, 0, 1, 1]
    assert hook.titles == ["check failed: freshness"]
    assert "48 orders" in hook.posted[0]["message"]
    # without a limit nothing is judged
    assert codes(told, space, ("check",)) == [0]
    assert len(hook.posted) == 1
    assert codes(told, space, YOUNG, YOUNG) == [0, 0]
    assert hook.titles[1:] == ["resolved: check failed: freshness"]


def test_several_at_a_time_are_one_message(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    told.database.write_text("something else")
    space.faults.add(Fault("brands", "respond", status=401))
    assert codes(told, space, ("check",), ("check",)) == [1, 1]
    assert hook.titles == ["2 bad"]
    text = hook.posted[0]["message"]
    assert text.count("check failed: credentials\n") == 1
    assert text.count("check failed: destination\n") == 1
    assert text.count("where: ") == 1
    space.faults.clear()
    told.database.unlink()
    assert codes(told, space, ("check",)) == [0]
    assert hook.titles[1:] == ["2 resolved"]


@pytest.mark.proof
def test_a_run_and_a_check_leave_each_others_alerts(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    assert codes(told, space, ("run",), OLD) == [0, 1]
    space.faults.add(Fault("brands", "respond", status=401))
    assert codes(told, space, ("run",)) == [1]
    space.faults.clear()
    assert codes(told, space, ("run",), YOUNG) == [0, 0]
    assert hook.titles == [
        "check failed: freshness",
        "run failed",
        "resolved: run failed",
        "resolved: check failed: freshness",
    ]


def test_findings_with_keys_examples_and_a_command(
    told: Workspace, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY__URLS", hook.url)
    target = find_target()
    some = tuple(f"order {n}" for n in range(7))
    one = Probed("rule", False, "7 orders are odd", some, "signalwire-orders report odd", "odd")
    other = Probed("rule", True, "none is even", key="even")
    notify_findings(target, [one, other])
    notify_findings(target, [other, one])
    (message,) = hook.posted
    lines = message["message"].splitlines()
    assert (message["title"], lines[0]) == (
        "signalwire-orders: check failed: rule",
        "7 orders are odd",
    )
    assert lines[2:8] == [*(f"  order {n}" for n in range(5)), "  and 2 more"]
    assert lines[8] == "more: signalwire-orders report odd"
    notify_findings(target, [one._replace(ok=True)])
    assert hook.titles[1:] == ["resolved: check failed: rule"]


@pytest.mark.proof
def test_checks_at_the_same_time_tell_of_it_once(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    assert codes(told, space, ("run",)) == [0]
    told.environment["NOTIFY__URLS"] = f"{hook.url}?rto=25"
    environment = os.environ | told.environment | told.credentials(space)
    hook.hold.clear()
    program = [sys.executable, "-m", "pipelines", *OLD]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = [
        subprocess.Popen(program, cwd=told.folder, env=environment, **quiet) for _ in range(3)
    ]
    assert hook.asked.wait(60)
    time.sleep(4)  # the others get as far as they can meanwhile
    hook.hold.set()
    assert [process.wait(60) for process in running] == [1, 1, 1]
    assert hook.titles == ["check failed: freshness"]
