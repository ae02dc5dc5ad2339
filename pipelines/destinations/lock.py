"""One run at a time for each destination and dataset.

dlt has no lock between processes, and two runs that share a staging dataset lose rows. The lock
lies where both runs, on whatever machine, must meet: beside a DuckDB or SQLite file, in a
PostgreSQL database. It belongs to an open file or connection and goes with the process that holds
it, so a dead one never blocks.
"""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from pipelines.errors import Busy, LockLost
from sources.signalwire.errors import ConfigurationError

if TYPE_CHECKING:
    from pipelines.destinations.base import Destination

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
PROGRAM = "signalwire-orders"
MOST_SECONDS = 31 * 86_400
# a holder, in words
PROCESS = "process {pid} on {host}, since {since}"
ENDED = "so this run ended before its load counted; nothing is lost, run again"
CLOSED = "the {} closed the connection that keeps other runs away, " + ENDED


class Lock(Protocol):
    """What keeps other runs out of a destination."""

    # whether nothing will be written, so that a folder that cannot be written to is no hindrance
    reading: bool = False

    def take(self) -> bool:
        """Takes the lock if it is free; whether it did."""

    def holder(self) -> str:
        """The holder, in words."""

    def verify(self) -> None:
        """LockLost unless it is still held; one on an open file cannot be lost."""
        return  # so that it is not abstract

    def schema_lock(self) -> AbstractContextManager[None]:
        """Holds the schema-change lock that all shards share, where there can be shards."""
        return nullcontext()

    def release(self) -> None:
        """Releases it."""


@contextmanager
def exclusive(target: Destination, wait: float, *, reading: bool = False) -> Iterator[Lock]:
    """Holds `target` for this run alone.

    Waits for up to `wait` seconds if another run has it. With `reading`, nothing will be written.

    Raises:
        Busy: another run has it still.
        ConfigurationError: so long cannot be waited, or there is no folder for the database, or
            it cannot be written to.
    """
    require_wait(wait)
    lock = target.lock()
    lock.reading = reading
    deadline = time.monotonic() + wait
    said = False
    try:
        while not lock.take():
            if time.monotonic() >= deadline:
                raise Busy(
                    f"another run is loading into the same place: {lock.holder()};"
                    " wait for it to end, or let this one wait with --wait SECONDS"
                )
            if not said:
                logger.warning("waiting for another run: %s", lock.holder())
                said = True
            time.sleep(RETRY_SECONDS)
        yield lock
    finally:
        lock.release()


def require_wait(wait: float) -> None:
    """Refuses a number of seconds that cannot be waited.

    Raises:
        ConfigurationError: it is such a one.
    """
    if isinstance(wait, bool) or not isinstance(wait, int | float) or not 0 <= wait <= MOST_SECONDS:
        raise ConfigurationError(
            f"wait is {wait!r}; it has to be a number of seconds from 0 to {MOST_SECONDS}"
        )


def lock_files(database: Path) -> Iterator[Path]:
    """Where runs into a database meet: beside it, and where its other names lead too."""
    yield database.with_name(f"{database.name}.lock")
    with suppress(OSError):
        found = database.stat()
        if found.st_nlink > 1:
            name = f"{PROGRAM}-{found.st_dev:x}-{found.st_ino:x}.lock"
            yield Path(tempfile.gettempdir()) / name


class FileLock(Lock):
    """A lock on files, which the operating system takes back when the process ends."""

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._opened: list[int] = []

    def take(self) -> bool:
        if not self._opened:
            self._open()
        for number in self._opened:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                for taken in self._opened:
                    fcntl.flock(taken, fcntl.LOCK_UN)
                return False
        for number in self._opened:
            with suppress(OSError):  # one that can only be read locks as well
                os.truncate(number, 0)
                os.pwrite(number, json.dumps(this_process()).encode(), 0)
        return True

    def _open(self) -> None:
        for path in self._paths:
            if not path.parent.is_dir():
                raise ConfigurationError(f"there is no folder {path.parent}; make it first")
            try:
                self._opened.append(_descriptor(path))
            except OSError as error:
                # who cannot make the file cannot be in the way of a run, which would have made it
                if not self.reading:
                    raise ConfigurationError(
                        f"{path} cannot be written ({error.strerror}); runs need to write to the"
                        " database's folder"
                    ) from error

    def holder(self) -> str:
        try:
            held = json.loads(self._paths[0].read_text(encoding="utf-8"))
            return PROCESS.format(**held)
        except (OSError, ValueError, KeyError):
            return "a process that has just begun"

    def release(self) -> None:
        """Releases it. The file stays: removing it would let two runs hold different files."""
        while self._opened:
            os.close(self._opened.pop())


def _descriptor(path: Path) -> int:
    """A lock file, opened, and made if it is not there."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | flags)
    except FileNotFoundError:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        return os.open(path, os.O_RDONLY | flags)


class DatabaseLock(Lock):
    """A lock in a database, over a connection that nothing else uses and that may idle."""

    # why a run ends that has lost it, or cannot ask for it
    lost: ClassVar[str]
    unknown: ClassVar[str]

    def __init__(self, client: Any) -> None:
        """`client` is dlt's SQL client."""
        self._client = client
        self._is_open = False

    def verify(self) -> None:
        try:
            held = self._is_held()
        except Exception as error:
            raise LockLost(self.unknown) from error
        if not held:
            raise LockLost(self.lost)

    def release(self) -> None:
        if self._is_open:
            self._client.close_connection()
            self._is_open = False

    def _connect(self) -> bool:
        """Opens the connection; whether it was not open yet."""
        if self._is_open:
            return False
        self._client.open_connection()
        self._is_open = True
        return True

    def _is_held(self) -> bool:
        """Whether the database still has it as this run's."""
        raise NotImplementedError

    def _ask(self, sql: str, *values: Any) -> list[Any]:
        return list(self._client.execute_sql(sql, *values) or [])


def this_process() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
    }
