"""Streams that are closed, full, or cannot show a character, and names full of escapes."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from support import Workspace
from support.processes import on_a_terminal

from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof

FULL = Path("/dev/full")
# a red name that clears the screen, sets the title, turns the direction and hides its end
ACTING = "Acme\x1b[31m\x1b[2J\x1b]0;owned\x07 \x9b1m\u202etxt\u2066\r\x08\x7f"
RAW = set(ACTING) - set("Acme[31m2J]0;owned txt")
COMMANDS = [
    ("run",),
    ("run", "--json"),
    ("check",),
    ("report", "--format", "json"),
    ("reports", "list"),
    ("reports", "show"),
    ("dashboard",),
    ("bi", "superset", "orders.zip", "--database-uri", "duckdb:////data/bi.duckdb"),
    ("query", "SELECT id FROM orders, range(200)"),
    ("publish", "copy.duckdb"),
    ("notify",),
    ("--help",),
    ("run", "--help"),
    ("--version",),
]


def shell(
    workspace: Workspace, command: tuple[str, ...], end: str, space: SimulatedSpace, **more: str
) -> subprocess.CompletedProcess[str]:
    """The command as a shell runs it, with `end` after it, and its exit code at last."""
    program = shlex.join([sys.executable, "-m", "pipelines", *command])
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {program} {end}"],
        cwd=workspace.folder,
        env=os.environ | workspace.environment | workspace.credentials(space) | more,
        capture_output=True,
        text=True,
        errors="surrogateescape",
        timeout=120,
    )


@pytest.fixture
def loaded(space: SimulatedSpace, workspace: Workspace) -> Workspace:
    workspace.environment["NOTIFY__URLS"] = "json://127.0.0.1:1/x"
    workspace.run(space)
    return workspace


class TestStreams:
    @pytest.mark.proof
    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_standard_output_that_is_closed(
        self, space: SimulatedSpace, loaded: Workspace, command: tuple[str, ...]
    ) -> None:
        done = shell(loaded, command, ">&-", space)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr
        if command[0] == "run" and "--help" not in command:
            assert len(loaded.table("runs")) == 2

    @pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
    def test_a_pipe_whose_reader_has_gone(
        self, space: SimulatedSpace, loaded: Workspace, command: tuple[str, ...]
    ) -> None:
        done = shell(loaded, command, "2>err | true; cat err >&2", space)
        assert "Traceback" not in done.stderr
        assert "Exception" not in done.stderr
        assert "Broken" not in done.stderr

    @pytest.mark.skipif(not FULL.is_char_device(), reason="there is no such device here")
    @pytest.mark.parametrize("command", [*COMMANDS, ("simulate",)], ids=" ".join)
    def test_one_that_is_full_is_said(
        self, space: SimulatedSpace, loaded: Workspace, command: tuple[str, ...]
    ) -> None:
        done = shell(loaded, command, f"> {FULL}", space)
        assert done.returncode == 1
        last = done.stderr.splitlines()[-1]
        assert last.startswith("signalwire-orders: standard output cannot be written to")
        assert "Traceback" not in done.stderr
        assert "disk" not in last

    @pytest.mark.proof
    @pytest.mark.parametrize("end", ["2>&-", f"2> {FULL}", "2>&- >&- <&-", "2>&1 | true"])
    def test_standard_error_that_is_closed_or_full(
        self, space: SimulatedSpace, loaded: Workspace, end: str
    ) -> None:
        done = shell(loaded, ("run", "--json"), end, space)
        assert done.returncode == (0 if "|" not in end else done.returncode)
        assert len(loaded.table("runs")) == 2
        wrong = shell(loaded, ("run", "--state", ""), end, space)
        assert wrong.returncode == 2

    @pytest.mark.proof
    @pytest.mark.parametrize(
        "variables", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0"}]
    )
    @pytest.mark.parametrize(
        "command",
        [
            ("query", "SELECT 'Café ☕ ' || chr(8230) AS naïve"),
            ("report", "processing_time_by_brand", "--format", "csv"),
            ("report", "processing_time_by_brand", "--format", "json"),
            ("report", "processing_time_by_brand", "--format", "markdown"),
            ("query", "SELECT nö FROM orders"),
            ("--help",),
        ],
        ids=lambda command: " ".join(command)[:50],
    )
    def test_characters_that_it_cannot_show(
        self,
        space: SimulatedSpace,
        workspace: Workspace,
        command: tuple[str, ...],
        variables: dict[str, str],
    ) -> None:
        for brand in space.world.truth_brands():
            space.world.update_brand(brand["id"], name="Café 漢字")
        workspace.run(space)
        done = shell(workspace, command, "", space, **variables)
        assert done.returncode == (2 if "nö" in command[-1] else 0)
        assert "Traceback" not in done.stderr
        if "json" in command:
            assert {row["brand_name"] for row in json.loads(done.stdout)} == {"Café 漢字"}


class TestNames:
    """Names that a terminal would act on."""

    @pytest.fixture
    def named(self, space: SimulatedSpace, workspace: Workspace) -> Workspace:
        for brand in space.world.truth_brands():
            space.world.update_brand(brand["id"], name=ACTING)
        for _, campaign in space.world.truth_campaigns():
            space.world.update_campaign(campaign["id"], name=ACTING)
        space.world.add_order(space.world.truth_campaigns()[0][1]["id"], state=ACTING)
        return workspace

    @pytest.mark.parametrize(
        "command",
        [
            ("query", 'SELECT name, [name], id AS "\x1b[31m" FROM campaigns'),
            ("query", "SELECT * FROM campaigns"),
            ("query", 'SELECT "\x1b[31m" FROM campaigns'),
            ("report", "processing_time_by_campaign"),
            ("report", "processing_time_by_campaign", "--format", "markdown"),
            ("report", "processing_time_by_brand", "--format", "json"),
            ("report", "\x1b[31m"),
        ],
        ids=lambda command: " ".join(command).replace("\x1b", "ESC"),
    )
    def test_are_shown_as_what_they_are(
        self, space: SimulatedSpace, named: Workspace, command: tuple[str, ...]
    ) -> None:
        named.run(space)
        done = named.command(*command)
        assert not RAW & set(done.stdout + done.stderr)
        assert "\\x1b[31m" in done.stdout + done.stderr or "\\u001b[31m" in done.stdout
        if "json" in command:
            assert {row["brand_name"] for row in json.loads(done.stdout)} == {ACTING}

    def test_csv_is_data_except_on_a_terminal(
        self, space: SimulatedSpace, named: Workspace
    ) -> None:
        named.run(space)
        command = ("report", "processing_time_by_brand", "--format", "csv")
        assert ACTING.split("\r")[0] in named.command(*command).stdout
        shown = on_a_terminal(named, command)
        assert "\\x1b[31m" in shown
        assert not RAW - {"\r"} & set(shown)

    @pytest.mark.parametrize("options", [(), ("--json",), ("--log-format", "json")])
    def test_are_so_in_failures_and_log_lines(
        self, space: SimulatedSpace, named: Workspace, options: tuple[str, ...]
    ) -> None:
        brand_id = space.world.truth_brands()[0]["id"]
        campaign_id = space.world.add_campaign(brand_id, id=f"c-{ACTING}", name=ACTING)
        space.faults.add(Fault("/campaigns/c-", "respond", status=404))
        done = named.command("run", *options, space=space)
        assert done.returncode == 3, done.stderr
        assert campaign_id
        assert not RAW & set(done.stdout + done.stderr)
        asked = named.command("run", "--campaign", ACTING, *options, space=space)
        assert asked.returncode == 3
        assert not RAW & set(asked.stdout + asked.stderr)
        assert "\\x1b[31m" in asked.stdout + asked.stderr or "\\u001b[31m" in asked.stdout
        if options == ("--json",):
            assert ACTING.strip() in json.loads(asked.stdout)["failures"][0]
        log = (named.folder / "data" / "signalwire_orders.log").read_bytes().decode()
        assert not RAW & set(log)
        shown = on_a_terminal(named, ("run", "--campaign", ACTING), **named.credentials(space))
        assert "\x1b[2J" not in shown
        assert "owned\x07" not in shown
