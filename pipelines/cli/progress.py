"""The progress of a run: a bar on a terminal, a line every 30 seconds in a log."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.cli.logs import console
from sources.signalwire import RunStats

if TYPE_CHECKING:
    from rich.progress import Progress

logger = logging.getLogger(__name__)

REFRESH_SECONDS = 0.2
LOG_EVERY_SECONDS = 30.0


@contextmanager
def shown_progress(stats: RunStats, *, silent: bool, bar: bool = True) -> Iterator[None]:
    """Shows `stats` while the block runs: nothing if `silent`, without `bar` as log lines."""
    if silent:
        yield
    elif bar and sys.stderr.isatty():
        with _bar() as progress, _repeating(REFRESH_SECONDS, lambda: _update(progress, stats)):
            yield
    else:
        with _repeating(LOG_EVERY_SECONDS, lambda: logger.info("%s", sentence(stats.counts()))):
            yield


def sentence(counts: dict[str, int]) -> str:
    """The counts of a running run, in words."""
    return (
        f"{counts['campaigns_walked']:,} of {counts['campaigns']:,} campaigns read,"
        f" {counts['orders_seen']:,} orders seen, {counts['requests']:,} requests"
    )


def _bar() -> Progress:
    # slow to import, and not needed in a log
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(compact=True),
    )
    progress = Progress(*columns, console=console(), transient=True)
    progress.add_task("connecting", total=None, words="")
    return progress


def _update(progress: Progress, stats: RunStats) -> None:
    counts = stats.counts()
    done = counts["campaigns_walked"] + counts["campaigns_failed"]
    total = counts["campaigns"] or None
    reading = total is None or done < total
    progress.update(
        progress.task_ids[0],
        description="reading" if reading else "loading",
        completed=done,
        total=total,
        words=sentence(counts),
    )


@contextmanager
def _repeating(seconds: float, action: Callable[[], None]) -> Iterator[None]:
    """Runs `action` every `seconds` in the background until the block ends."""
    done = threading.Event()

    def repeat() -> None:
        while not done.wait(seconds):
            action()

    thread = threading.Thread(target=repeat, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
