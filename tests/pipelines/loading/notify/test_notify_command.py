"""`notify`, `notify --test`, and settings that cannot work: refused before anything is read."""

from __future__ import annotations

import json
import re

import pytest
from support import ROOT, Workspace
from support.receivers import MailServer, Webhook

from pipelines.loading.notify.delivery import require_urls
from sources.simulator import Fault, SimulatedSpace

# a module of Apprise's imports one that Python will not have any more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
# what it is set to, and what the sentence says of it
WRONG = {
    "no url": ("Hush-4", "number 1 (no URL) cannot be used"),
    "unknown": ('["json://127.0.0.1", "foo://Hush-4"]', "number 2 (foo) cannot be used"),
    "incomplete": ("mailto://Hush-4", "number 1 (mailto) cannot be used"),
    "open list": ('["json://Hush-4', "has to be a list of URLs"),
    "number": ('["json://Hush-4", 1]', "has to be a list of URLs"),
    "empty": ('["json://Hush-4", ""]', "has to be a list of URLs"),
}


@pytest.mark.parametrize("what", sorted(WRONG))
@pytest.mark.parametrize("command", [("run",), ("check",), ("notify", "--test")], ids=" ".join)
def test_what_cannot_work_is_refused(
    space: SimulatedSpace, workspace: Workspace, command: tuple[str, ...], what: str
) -> None:
    urls, words = WRONG[what]
    done = workspace.command(*command, space=space, NOTIFY__URLS=urls)
    assert (done.returncode, space.journal.requests) == (2, 0)
    assert f"notify.urls: {words}" in done.stderr or f"notify.urls {words}" in done.stderr
    assert "Hush" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", [("run",), ("check",)], ids=" ".join)
def test_urls_beside_what_is_no_secret_are_refused(
    space: SimulatedSpace, workspace: Workspace, command: tuple[str, ...]
) -> None:
    """dlt writes what it takes for no secret into the trace of the run."""
    path = workspace.folder / ".dlt" / "config.toml"
    path.parent.mkdir()
    path.write_text('[notify]\nurls = ["json://Hush-4"]\n')
    done = workspace.command(*command, space=space)
    assert (done.returncode, space.journal.requests) == (2, 0)
    assert "notify.urls belongs in .dlt/secrets.toml" in done.stderr
    assert "Hush" not in done.stdout + done.stderr


@pytest.mark.parametrize("form", ["list in the file", "text in the file", "text", "list"])
def test_a_test_message_goes_to_all(
    workspace: Workspace, hook: Webhook, mail: MailServer, form: str
) -> None:
    urls = [hook.url] if form.startswith("text") else [hook.url, mail.url]
    value = json.dumps(urls[0] if form.startswith("text") else urls)
    if form.endswith("file"):
        path = workspace.folder / ".dlt" / "secrets.toml"
        path.parent.mkdir()
        path.write_text(f"[notify]\nurls = {value}\n")
    else:
        workspace.environment["NOTIFY__URLS"] = value.strip('"')
    done = workspace.command("notify", "--test")
    lines = ["ok    number 1 (json)", "ok    number 2 (mailto)"][: len(urls)]
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, lines, "")
    assert hook.titles == ["test"]
    assert len(mail.mails) == len(urls) - 1
    assert f"where: duckdb:///{workspace.database}, dataset" in hook.posted[0]["message"]


def test_one_that_does_not_take_it(workspace: Workspace, hook: Webhook, mail: MailServer) -> None:
    hook.status = 404
    urls = json.dumps([hook.url, mail.url])
    done = workspace.command("notify", "--test", NOTIFY__URLS=urls)
    assert done.returncode == 1
    assert done.stdout.splitlines() == ["FAIL  number 1 (json)", "ok    number 2 (mailto)"]


@pytest.mark.parametrize("empty", ["", " ", "[]", None])
def test_without_any(workspace: Workspace, empty: str | None) -> None:
    if empty is not None:
        workspace.environment["NOTIFY__URLS"] = empty
    for command in (("notify",), ("notify", "--test")):
        done = workspace.command(*command)
        assert done.returncode == 2
        assert "notify.urls is not set" in done.stderr


@pytest.mark.proof
def test_what_is_bad_is_listed(space: SimulatedSpace, told: Workspace, hook: Webhook) -> None:
    assert told.command("notify").stdout == "number 1 (json)\n"
    space.faults.add(Fault("brands", "respond", status=401))
    hook.status = 500
    assert told.command("run", space=space).returncode == 1
    _, line = told.command("notify").stdout.splitlines()
    assert line.startswith("since 20")
    assert line.endswith(": run failed (not sent)")
    hook.status = 200
    assert told.command("run", space=space).returncode == 1
    assert told.command("notify").stdout.endswith(" UTC: run failed\n")


@pytest.mark.parametrize("page", [".dlt/secrets.example.toml", "docs/scheduling.md"])
def test_the_documented_urls_can_be_used(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").replace("\n# ", "\n")
    (urls,) = re.findall(r"^\[notify\]\nurls = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    monkeypatch.setenv("NOTIFY__URLS", json.dumps(re.findall(r'"(.+?)"', urls)))
    assert [url.partition(":")[0] for url in require_urls()] == ["mailtos", "jsons"]
