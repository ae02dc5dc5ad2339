"""Something happens at a certain call of a function: the process ends there, or a test looks.

Nothing is replaced for it. Python tells of every call, and the test waits for the right one.
"""

from __future__ import annotations

import inspect
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pkgutil import resolve_name
from types import FrameType
from typing import Any

Action = Callable[[], None]


@contextmanager
def at_call(place: str, number: int, action: Action) -> Iterator[None]:
    """Does it before the `number`-th call of the function at `place` (`module:Class.method`).

    With a negative number it is done as that call returns. What it raises is raised there. Calls
    in threads that have been started before are not seen.
    """
    code = inspect.unwrap(resolve_name(place)).__code__
    event_waited_for = "call" if number > 0 else "return"
    calls = 0

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal calls
        if frame.f_code is code and event == event_waited_for:
            calls += 1
            if calls == abs(number):
                action()

    threading.setprofile(watch)
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def kill() -> None:
    """The process is gone at once, as with `kill -9`."""
    os.kill(os.getpid(), signal.SIGKILL)


def terminate() -> None:
    """The process is asked to end."""
    os.kill(os.getpid(), signal.SIGTERM)


def fill_disk() -> None:
    """From now on no file of this process can grow beyond 300 kB."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
