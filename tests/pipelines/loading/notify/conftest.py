"""Fixtures: where messages arrive, and a folder whose commands send them there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support import Workspace
from support.receivers import MailServer, Webhook, mail_server, webhook


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as found:
        yield found


@pytest.fixture
def mail() -> Iterator[MailServer]:
    with mail_server() as found:
        yield found


@pytest.fixture
def told(workspace: Workspace, hook: Webhook) -> Workspace:
    """A folder whose commands send messages to the webhook."""
    workspace.environment["NOTIFY__URLS"] = json.dumps([hook.url])
    return workspace
