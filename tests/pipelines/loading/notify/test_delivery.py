"""Delivery that fails changes no run and is tried again; nothing secret is anywhere but there."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import Workspace
from support.receivers import MailServer, Webhook

from pipelines.destinations.resolve import find_target
from pipelines.loading.notify import delivery
from pipelines.loading.notify.alerts import Message
from pipelines.loading.notify.state import state_file
from sources.simulator import Fault, SimulatedSpace

# a module of Apprise's imports one that Python will not have any more
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
DOWN = Fault("brands", "respond", status=401)


def leaks(workspace: Workspace, *texts: str, secrets: tuple[str, ...]) -> list[str]:
    """Where a secret can be found: in which text or file."""
    found = [f"text {n}" for n, t in enumerate(texts) if any(s in t for s in secrets)]
    files = (path for path in workspace.folder.rglob("*") if path.is_file())
    held = (p for p in files if any(s.encode() in p.read_bytes() for s in secrets))
    return found + [str(path) for path in held]


@pytest.mark.proof
def test_a_receiver_that_refuses_changes_no_run_and_is_tried_again(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    hook.status = 500
    space.faults.add(DOWN)
    done = told.command("run", space=space)
    assert done.returncode == 1
    assert "notify.urls, number 1 (json): the notification could not be delivered" in done.stderr
    assert told.command("run", space=space).returncode == 1
    hook.status = 200
    assert told.command("run", space=space).returncode == 1
    assert hook.titles == ["run failed"]
    hook.status = 500
    space.faults.clear()
    assert told.command("run", space=space).returncode == 0
    hook.status = 200
    assert told.command("run", space=space).returncode == 0
    assert hook.titles == ["run failed", "resolved: run failed"]


@pytest.mark.proof
def test_what_was_never_delivered_needs_no_all_clear(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    hook.status = 500
    space.faults.add(DOWN)
    assert told.command("run", space=space).returncode == 1
    space.faults.clear()
    hook.status = 200
    assert told.command("run", space=space).returncode == 0
    assert hook.posted == []


@pytest.mark.parametrize("refused", ["MAIL", "AUTH", "DATA", "EHLO"])
def test_one_that_took_it_is_enough(
    space: SimulatedSpace, told: Workspace, hook: Webhook, mail: MailServer, refused: str
) -> None:
    mail.refuse = refused
    told.environment["NOTIFY__URLS"] = json.dumps([mail.url, hook.url])
    space.faults.add(DOWN)
    done = told.command("run", space=space)
    assert "number 1 (mailto): the notification could not be delivered" in done.stderr
    assert "number 2" not in done.stderr
    mail.refuse = ""
    assert told.command("run", space=space).returncode == 1
    assert (len(hook.posted), mail.mails) == (1, [])


def test_a_receiver_that_is_down_fails_no_run(space: SimulatedSpace, told: Workspace) -> None:
    mailto = "mailto://a:b@127.0.0.1:1?from=a@example.com&to=c@example.com"
    urls = ["json://127.0.0.1:1/x", mailto]
    space.faults.add(Fault("/orders", "respond", status=200, body="<html>"))
    done = told.command("run", space=space, NOTIFY__URLS=json.dumps(urls))
    assert done.returncode == 3
    assert done.stderr.count("could not be delivered") == 2
    assert "Traceback" not in done.stderr


def test_one_that_hangs_is_waited_for_no_longer_than_allowed(
    workspace: Workspace, hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "SECONDS", 0.5)
    hook.hold.clear()
    began = time.monotonic()
    urls = [f"{hook.url}?rto=20", f"{hook.url}?rto=20"]
    assert delivery.deliver(urls, Message("title", "body", bad=True)) == [False, False]
    assert time.monotonic() - began < 5


def test_a_state_that_cannot_be_written_is_no_reason_to_fail(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    path = state_file(find_target())
    path.mkdir(parents=True)
    space.faults.add(DOWN)
    done = told.command("run", space=space)
    assert done.returncode == 1
    assert "the notification failed (IsADirectoryError)" in done.stderr
    assert "Traceback" not in done.stderr
    assert hook.titles == ["run failed"]
    assert {p.name for p in path.parent.glob(".*")} == set()


@pytest.mark.proof
@pytest.mark.parametrize("level", ["DEBUG", "WARNING"])
@pytest.mark.parametrize("status", [200, 401])
def test_secrets_are_nowhere_but_in_the_request(
    space: SimulatedSpace,
    told: Workspace,
    hook: Webhook,
    mail: MailServer,
    status: int,
    level: str,
) -> None:
    hook.status = status
    mail.refuse = "" if status == 200 else "AUTH"
    secrets = (*hook.secrets, *mail.secrets, space.api_token)
    told.environment["NOTIFY__URLS"] = json.dumps(
        [hook.url, mail.url, "json://127.0.0.1:1/" + hook.secrets[1]]
    )
    for fault in (None, DOWN, Fault("/orders", "respond", status=200, body="<html>")):
        space.faults.clear()
        if fault:
            space.faults.add(fault)
        for command in (("run",), ("check",), ("notify",), ("notify", "--test")):
            done = told.command(*command, space=space, RUNTIME__LOG_LEVEL=level)
            # at once: the next run replaces the trace of this one
            assert leaks(told, done.stdout, done.stderr, secrets=secrets) == []
        assert list(told.folder.rglob("trace.pickle"))
    assert leaks(told, json.dumps(hook.posted), "".join(mail.texts), secrets=secrets) == []
    if status == 200:
        assert mail.logins
        assert len(list(told.folder.rglob("*.alerts.json"))) == 1


def test_urls_in_an_error_lose_their_credentials_on_the_way(
    space: SimulatedSpace, told: Workspace, hook: Webhook
) -> None:
    reason = {"errors": [{"title": "ask postgresql://me:Hush/db-3@127.0.0.1/orders instead"}]}
    space.faults.add(Fault("brands", "respond", status=401, body=reason))
    assert told.command("run", space=space).returncode == 1
    assert "postgresql://" in hook.posted[0]["message"]
    assert "me:Hush" not in hook.posted[0]["message"]


@pytest.mark.parametrize("library", ["apprise", "urllib3.connectionpool"])
def test_what_libraries_log_of_a_delivery_is_dropped(
    workspace: Workspace, hook: Webhook, caplog: pytest.LogCaptureFixture, library: str
) -> None:
    """Also where a program, such as Airflow, has set up a log for all of them."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger(library).setLevel(1)
    hook.status = 403
    assert delivery.deliver([hook.url], Message("title", "body", bad=True)) == [False]
    assert {record.name for record in caplog.records} == {"pipelines.loading.notify.delivery"}
    logging.getLogger(library).warning("of others")
    assert caplog.messages[-1] == "of others"


def test_apprise_is_imported_only_where_messages_go(workspace: Workspace, hook: Webhook) -> None:
    code = (
        "import sys\n"
        "from pipelines.loading.notify import delivery, triggers\n"
        "delivery.require_urls(); print('apprise' in sys.modules)\n"
        "import os; os.environ['NOTIFY__URLS'] = sys.argv[1]\n"
        "delivery.require_urls(); print('apprise' in sys.modules)\n"
    )
    program = [sys.executable, "-c", code, hook.url]
    done = subprocess.run(program, cwd=workspace.folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_text_of_others_is_no_markup(
    space: SimulatedSpace, told: Workspace, mail: MailServer
) -> None:
    told.environment["NOTIFY__URLS"] = mail.url.replace("format=text", "format=html")
    body = {"errors": [{"title": "<b>bold</b>\x1b[31m"}]}
    space.faults.add(Fault("brands", "respond", status=401, body=body))
    assert told.command("run", space=space).returncode == 1
    (sent,) = mail.mails
    (page,) = (part for part in sent.walk() if part.get_content_type() == "text/html")
    text = page.get_payload(decode=True)
    assert isinstance(text, bytes)
    assert b"&lt;b&gt;bold&lt;/b&gt;" in text
    assert b"\x1b" not in text


def test_the_search_for_leaks_finds_one(workspace: Workspace, tmp_path: Path) -> None:
    (workspace.folder / "notes.txt").write_text("token Hush")
    found = leaks(workspace, "a Hush", secrets=("Hush",))
    assert found == ["text 0", str(workspace.folder / "notes.txt")]
