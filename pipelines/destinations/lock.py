"""One run at a time for each destination and dataset.

dlt has no lock between processes, and two runs that share a staging dataset lose rows. The lock
lies where both runs, on whatever machine, must meet: beside a DuckDB or SQLite file, in a
PostgreSQL database. It belongs to an open file or connection and goes with the process that holds
it, so a dead one never blocks.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from pipelines.cli.arguments import MOST_SECONDS
from pipelines.destinations.resolve import Target
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import MAX_SHARDS

logger = logging.getLogger(__name__)

RETRY_SECONDS = 0.2
PROGRAM = "signalwire-orders"
LOST = (
    "the database broke off the connection that keeps other runs away, so this one ended before"
    " its load counted; nothing is lost, run again"
)


class Busy(RuntimeError):
    """Another run holds the destination; the text says which."""


class LockLost(RuntimeError):
    """The lock's connection broke off, so that another run may have begun."""


class Lock(Protocol):
    """A lock that is tried, asked who holds it, looked after, and let go."""

    def take(self) -> bool:
        """Takes the lock if it is free, and says whether it did."""

    def holder(self) -> str:
        """Who holds it, in words."""

    def verify(self) -> None:
        """LockLost unless it is still held."""

    def alone(self) -> AbstractContextManager[None]:
        """Keeps those who load other parts into the same tables from changing the tables."""

    def release(self) -> None:
        """Lets it go."""


@contextmanager
def exclusive(target: Target, wait: float, *, reading: bool = False) -> Iterator[Lock]:
    """Holds `target` for this run alone.

    Waits for up to `wait` seconds if another run has it. With `reading`, a folder that cannot be
    written to is no hindrance.

    Raises:
        Busy: another run has it still.
        ConfigurationError: there is no folder for the database, or it cannot be written to.
    """
    lock = _lock_of(target, reading=reading)
    try:
        _take(lock, wait)
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


def _take(lock: Lock, wait: float) -> None:
    deadline = time.monotonic() + wait
    told = False
    while not lock.take():
        if time.monotonic() >= deadline:
            raise Busy(
                f"another run is loading into the same place: {lock.holder()};"
                " wait for it to end, or let this one wait with --wait SECONDS"
            )
        if not told:
            logger.warning("waiting for another run: %s", lock.holder())
            told = True
        time.sleep(RETRY_SECONDS)


def _lock_of(target: Target, *, reading: bool) -> Lock:
    if target.kind == "postgres":
        return PostgresLock(target)
    if target.kind in ("duckdb", "sqlite"):
        return FileLock(*_lock_files(Path(target.location)), reading=reading)
    # other destinations have nothing to meet at; this keeps the runs of one machine apart
    target.pipelines_dir.mkdir(parents=True, exist_ok=True)
    return FileLock(target.pipelines_dir / "run.lock")


def _lock_files(database: Path) -> Iterator[Path]:
    """Where runs into a database meet: beside it, and where its other names lead too."""
    yield database.with_name(f"{database.name}.lock")
    with suppress(OSError):
        found = database.stat()
        if found.st_nlink > 1:
            name = f"{PROGRAM}-{found.st_dev:x}-{found.st_ino:x}.lock"
            yield Path(tempfile.gettempdir()) / name


class FileLock:
    """A lock on files, which the operating system takes back when the process ends."""

    def __init__(self, *paths: Path, reading: bool = False) -> None:
        self._paths = paths
        self._reading = reading
        self._opened: list[int] = []

    def take(self) -> bool:
        """Takes the lock if it is free, and says whether it did."""
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
                os.pwrite(number, json.dumps(_ourselves()).encode(), 0)
        return True

    def _open(self) -> None:
        for path in self._paths:
            if not path.parent.is_dir():
                raise ConfigurationError(f"there is no folder {path.parent}; make it first")
            try:
                self._opened.append(_descriptor(path))
            except OSError as error:
                # who cannot make the file cannot be in the way of a run, which would have made it
                if not self._reading:
                    raise ConfigurationError(
                        f"{path} cannot be written ({error.strerror}); runs need to write to the"
                        " database's folder"
                    ) from error

    def holder(self) -> str:
        """Who holds it, in words."""
        try:
            held = json.loads(self._paths[0].read_text(encoding="utf-8"))
            return f"process {held['pid']} on {held['host']}, since {held['since']}"
        except (OSError, ValueError, KeyError):
            return "a process that has just begun"

    def verify(self) -> None:
        """A lock on an open file cannot be lost."""

    @contextmanager
    def alone(self) -> Iterator[None]:
        """There is nobody beside it."""
        yield

    def release(self) -> None:
        """Lets it go. The file stays: removing it would let two runs hold different files."""
        while self._opened:
            os.close(self._opened.pop())


def _descriptor(path: Path) -> int:
    """A lock file, opened, and made if it is not there."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, os.O_RDWR | flags)
    except FileNotFoundError:
        return os.open(path, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        return os.open(path, os.O_RDONLY | flags)


class PostgresLock:
    """Advisory locks, which the server takes back when the connection ends.

    A run holds its shard's alone, and its layout's (how many shards there are) together with the
    other shards of it: runs of the same layout go side by side, runs of different ones do not,
    because their shards overlap. Without shards there is one, 1/1.
    """

    # the second key of a lock; the first is made from the dataset's name
    _TAKING = 0  # held for a moment, by whoever takes the two others
    _CHANGING_TABLES = MAX_SHARDS + 1

    # how the server shows a dataset's locks, to others too; keys are shown as unsigned numbers
    _LOCKS = (
        "l.locktype = 'advisory' AND l.granted AND l.classid = %s"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    def __init__(self, target: Target) -> None:
        # before the first connection: this one idles for as long as the API is read
        target.probe.destination.config_params["credentials"].lift_limits()
        self._client: Any = target.probe.sql_client()
        digest = hashlib.blake2b(target.dataset.encode(), digest_size=4).digest()
        self._dataset = int.from_bytes(digest, "big", signed=True)
        number, self._layout = target.shard or (1, 1)
        self._shard = 2 * MAX_SHARDS * self._layout + number
        self._open = False

    def take(self) -> bool:
        """Takes the lock if it is free, and says whether it did."""
        if not self._open:
            self._client.open_connection()
            self._open = True
            name = "{0} pid {pid} on {host}".format(PROGRAM, **_ourselves())
            self._ask("SELECT set_config('application_name', %s, false)", name[:63])
        with self._held(self._TAKING):
            if self._holders():
                return False
            self._ask("SELECT pg_advisory_lock(%s, %s)", self._dataset, self._shard)
            self._ask("SELECT pg_advisory_lock_shared(%s, %s)", self._dataset, self._layout)
        return True

    def holder(self) -> str:
        """Who holds it, in words."""
        found = self._holders()
        if not found:
            return "a process that has just ended"
        name, role, address, since = found[0]
        if since is None:  # the server shows that to the same role and to administrators only
            return f"{name or 'a process'}, as the role {role}"
        return f"{name or 'a process'} (from {address or 'this machine'}), since {since:%F %T%z}"

    def verify(self) -> None:
        """LockLost unless it is still held, by this very connection."""
        try:
            held = self._ask(
                f"SELECT 1 FROM pg_locks l WHERE {self._LOCKS} AND l.objid = %s"  # noqa: S608
                " AND l.pid = pg_backend_pid()",
                self._dataset % 2**32,
                self._shard,
            )
        except Exception as error:
            raise LockLost(LOST) from error
        if not held:  # behind a pooler that gives every transaction another connection
            raise LockLost(LOST)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps other shards from changing tables meanwhile."""
        with self._held(self._CHANGING_TABLES):
            yield

    def release(self) -> None:
        """Lets it go with its connection."""
        if self._open:
            self._client.close_connection()
            self._open = False

    def _holders(self) -> list[Any]:
        """Who holds this shard, or any of another layout."""
        return self._ask(
            "SELECT a.application_name, a.usename, a.client_addr, a.backend_start"  # noqa: S608 - all ours
            f" FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE {self._LOCKS}"
            " AND (l.objid = %s OR l.objid::bigint BETWEEN 1 AND %s AND l.objid <> %s)",
            self._dataset % 2**32,
            self._shard,
            MAX_SHARDS,
            self._layout,
        )

    @contextmanager
    def _held(self, key: int) -> Iterator[None]:
        """Waits for a lock that others hold for a short time only, and holds it as shortly."""
        try:
            self._ask("SELECT pg_advisory_lock(%s, %s)", self._dataset, key)
        except Exception as error:
            raise LockLost(LOST) from error
        try:
            yield
        finally:
            # with a connection that broke off, the lock has gone already
            with suppress(Exception):
                self._ask("SELECT pg_advisory_unlock(%s, %s)", self._dataset, key)

    def _ask(self, sql: str, *values: Any) -> list[Any]:
        return list(self._client.execute_sql(sql, *values) or [])


def _ourselves() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC"),
    }
