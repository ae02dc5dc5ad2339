"""Where messages go: all of them to a log file, and what its reader needs to standard error.

That reader is a person at a terminal, the log of cron or a container, or, with JSON lines, a
program.
"""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from pipelines.cli.output import json_text
from pipelines.errors import FAILED
from pipelines.errors.explain import explain
from sources.printable import printable

if TYPE_CHECKING:
    from rich.console import Console

OURS = ("pipelines", "sources")
FORMAT = "%(asctime)s %(levelname)s %(message)s"


@cache
def console() -> Console:
    """The one console, so that messages and a progress bar do not overwrite each other."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def set_up_logging(*, quiet: bool = False, as_json: bool = False) -> None:
    """Sends the project's messages to the log file, and to standard error as fits its reader.

    A terminal shows warnings; anything else (cron, Airflow, a file) gets lines with times; `quiet`
    leaves errors. `as_json` prints each message as one line of JSON, tracebacks included.

    Raises:
        ConfigurationError: a settings file cannot be read, or the log cannot be written.
    """
    from pipelines.destinations.configuration import data_folder, register_defaults
    from pipelines.errors.explain import unwritable

    shown = _shown(quiet, as_json)
    # before anything that can fail, so that a failure is shown like any other message
    logging.getLogger("pipelines").handlers = [shown]
    logging.getLogger("pipelines").propagate = False
    register_defaults()  # dlt also sets up its own logger here, which is redirected below
    path = data_folder() / "signalwire_orders.log"
    try:
        # opened at once, not with the first message: a failure is an error of the settings
        in_file = RotatingFileHandler(path, maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from error
    in_file.setFormatter(
        _SafeLines("%(asctime)s %(levelname)s %(name)s %(message)s", tracebacks=True)
    )
    # dlt logs the same failures with tracebacks, some of them several times
    logging.getLogger("dlt").handlers = [in_file]
    for name in OURS:
        logger = logging.getLogger(name)
        logger.handlers = [in_file, shown]
        logger.setLevel(logging.INFO)
        logger.propagate = False
    # commands have imported by now what they need, and it stays: to search it for garbage, at exit
    # too, would take 0.3 s of the 1.2 s that `report` takes
    gc.freeze()


def report(error: BaseException) -> int:
    """Prints what happened in one sentence, logs the traceback, and returns the exit code."""
    sentence, code = explain(error)
    logger = logging.getLogger("pipelines")
    logger.error("%s", sentence, exc_info=error)
    # a terminal shows ^C at the start of the line
    show(f"{chr(10) if code > 128 else ''}signalwire-orders: {sentence}")
    for handler in logger.handlers if code == FAILED else ():
        if isinstance(handler, logging.FileHandler):
            show(f"details: {handler.baseFilename}")
    return code


def show(sentence: str) -> None:
    """Prints to standard error why the program ends, unless a JSON line has said so."""
    if not any(isinstance(h.formatter, _JsonLine) for h in logging.getLogger("pipelines").handlers):
        with suppress(OSError):  # there is no other place to print it
            print(printable(sentence, lines=True), file=sys.stderr)  # noqa: T201


def _shown(quiet: bool, as_json: bool) -> logging.Handler:
    """What writes to standard error."""
    on_terminal = sys.stderr.isatty() and not as_json
    shown: logging.Handler = _OnConsole() if on_terminal else logging.StreamHandler()
    if as_json:
        shown.setFormatter(_JsonLine())
    else:
        shown.setFormatter(_SafeLines("%(message)s" if on_terminal else FORMAT))
        # tracebacks belong in the file, and `show` prints the sentence
        shown.addFilter(lambda record: not record.exc_info)
    shown.setLevel(logging.ERROR if quiet else logging.WARNING if on_terminal else logging.INFO)
    return shown


class _SafeLines(logging.Formatter):
    """Lines without control characters, whatever the message holds."""

    def __init__(self, style: str, *, tracebacks: bool = False) -> None:
        super().__init__(style)
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), lines=self._tracebacks)


class _JsonLine(logging.Formatter):
    """`time` is in UTC; `exception` is the traceback, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, tz=timezone.utc).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json_text(line, compact=True)


class _OnConsole(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        console().print(self.format(record), markup=False)
