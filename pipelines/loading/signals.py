"""SIGTERM and SIGINT end a run in good order: what is half read is dropped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dlt.common.exceptions import SignalReceivedException


@contextmanager
def orderly_end() -> Iterator[None]:
    """Makes SIGTERM an exception like SIGINT is, so that locks and files are let go.

    While dlt loads it takes both signals itself: it finishes what it has begun, and what is left
    is loaded by the next run.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals belong to the main thread's owner, Airflow for one
        return
    before = signal.signal(signal.SIGTERM, _raise)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(number: int, _frame: FrameType | None) -> None:
    raise SignalReceivedException(number)
