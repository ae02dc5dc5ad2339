"""Delivery: where messages go, and their way there through Apprise.

The URLs hold passwords and tokens. Nothing here repeats more of one than its schema.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import dlt

from pipelines.destinations.configuration import register_defaults
from pipelines.loading.notify.alerts import PROGRAM, Message
from sources.signalwire.errors import ConfigurationError

logger = logging.getLogger(__name__)

SETTING = "notify.urls"
# all URLs are sent to at a time, and none may keep a run for longer
SECONDS = 30.0
SCHEMA = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]{0,30}):/")
# they repeat URLs, or parts of them, with what is secret in them
TALKATIVE = ("apprise", "urllib3.connectionpool")


def configured_urls() -> list[str]:
    """The setting `notify.urls`; it comes as text, or a list in JSON, from the environment.

    Raises:
        ConfigurationError: it is not a list of texts, or stands where secrets do not belong.
    """
    register_defaults()
    # not from dlt.config: dlt keeps what it reads there, with its value, in the trace of the run
    found: Any = dlt.secrets.get(SETTING)
    if found is None:
        if dlt.config.get(SETTING):
            raise ConfigurationError(
                f"{SETTING} belongs in .dlt/secrets.toml or the environment (NOTIFY__URLS), not in"
                " config.toml: such URLs hold passwords"
            )
        return []
    if isinstance(found, str) and not found.lstrip().startswith("["):
        found = [found] if found.strip() else []
    elif isinstance(found, str):
        with suppress(ValueError):
            found = json.loads(found)
    if not isinstance(found, list) or not all(isinstance(u, str) and u.strip() for u in found):
        raise ConfigurationError(
            f'{SETTING} has to be a list of URLs in quotes, as in ["mailtos://…", "slack://…"]'
        )
    return [url.strip() for url in found]


def require_urls() -> list[str]:
    """Checks that messages could be sent, before anything is read; sends nothing.

    Raises:
        ConfigurationError: the setting cannot work, or Apprise is not installed.
    """
    urls = configured_urls()
    if not urls:
        return []
    try:
        import apprise  # noqa: F401 - takes a while, and few need it
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"{SETTING} is set, but {error.name} is not installed;"
            " install it with: pip install 'signalwire-orders[notify]'"
        ) from None
    with _silenced():
        for number, url in enumerate(urls):
            if _service(url) is None:
                raise ConfigurationError(
                    f"{SETTING}: {named(urls, number)} cannot be used; docs/scheduling.md says how"
                    " such URLs look. Some services need one more package"
                )
    return urls


def named(urls: Sequence[str], number: int) -> str:
    """A URL as messages name it: by its place in the list and its schema."""
    schema = SCHEMA.match(urls[number])
    return f"number {number + 1} ({schema[1].lower() if schema else 'no URL'})"


def deliver(urls: Sequence[str], message: Message) -> list[bool]:
    """Sends a message to all URLs at a time; whether each took it, in their order.

    One that did not is a warning. Nothing is raised for it.
    """
    took = [False] * len(urls)

    def send(number: int) -> None:
        with _silenced():
            took[number] = _send(urls[number], message)

    # daemons: one that hangs must not keep the process from ending
    senders = [threading.Thread(target=send, args=(n,), daemon=True) for n in range(len(urls))]
    deadline = time.monotonic() + SECONDS
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(max(0.0, deadline - time.monotonic()))
    done = list(took)
    for number, taken in enumerate(done):
        if not taken:
            where = named(urls, number)
            logger.warning("%s, %s: the notification could not be delivered", SETTING, where)
    return done


def _send(url: str, message: Message) -> bool:
    try:
        from apprise import Apprise, NotifyFormat, NotifyType

        sender, text = Apprise(_service(url)), NotifyFormat.TEXT
        kind = NotifyType.FAILURE if message.bad else NotifyType.SUCCESS
        return bool(sender.notify(message.body, message.title, kind, body_format=text))
    except Exception:  # noqa: BLE001 - of any service; its text could hold the URL
        return False


def _service(url: str) -> Any:
    """Apprise's object for a URL; None if it is none that can be used."""
    from apprise import Apprise, AppriseAsset

    try:
        # by itself a service would be called Apprise
        return Apprise.instantiate(url, AppriseAsset(app_id=PROGRAM, app_desc=PROGRAM))
    except Exception:  # noqa: BLE001 - its text could hold the URL
        return None


@contextmanager
def _silenced() -> Iterator[None]:
    """Drops what libraries log in this thread, at any level: it can hold secrets."""
    thread = threading.get_ident()

    def of_others(record: logging.LogRecord) -> bool:
        return record.thread != thread

    loggers = [logging.getLogger(name) for name in TALKATIVE]
    for talkative in loggers:
        talkative.addFilter(of_others)
    try:
        yield
    finally:
        for talkative in loggers:
            talkative.removeFilter(of_others)
