"""A lock for warehouses without locks: a row with an owner and a heartbeat.

The holder writes the time into the row once a minute. A row without a heartbeat for five minutes is
free again; all times are the warehouse's. A process that was killed on this machine is not waited
for: it held the file lock of the working folder, which the operating system took back.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlt.destinations.exceptions import DatabaseException

from pipelines.destinations.lock import ENDED, PROCESS, DatabaseLock, FileLock, this_process

logger = logging.getLogger(__name__)

TABLE = "_signalwire_orders_run"
# seconds
HEARTBEAT_EVERY = 60
FREE_AFTER = 300
ASK_EVERY = 2.0
# a machine that was cloned while it ran has another one
BOOT = Path("/proc/sys/kernel/random/boot_id")
# writes all rows, so that of two that insert one and take it at once the second waits
TAKE = f"""
UPDATE {{table}} SET owner = %s, holder = %s, alive_at = CURRENT_TIMESTAMP()
WHERE (
    SELECT COUNT(*) FROM {{table}} WHERE owner NOT LIKE %s
    AND alive_at >= DATEADD(second, -{FREE_AFTER}, CURRENT_TIMESTAMP())
) = 0
"""  # noqa: S608 - our own name
HOLDER = (
    "SELECT holder, DATEDIFF(second, alive_at, CURRENT_TIMESTAMP()) FROM {table}"
    " WHERE owner IS NOT NULL"
)


class RowLock(DatabaseLock):
    """A row of a table in the dataset's schema, behind the file lock of the working folder."""

    lost = (
        "another run has taken over, because this one had no heartbeat for"
        f" {FREE_AFTER} seconds, {ENDED}"
    )
    unknown = f"the warehouse does not say whether this run still holds its lock, {ENDED}"

    def __init__(
        self, client: Any, schema: str, path: Path, *, every: float = HEARTBEAT_EVERY
    ) -> None:
        """
        `schema` is the dataset's, as statements write it, `path` the lock file of the working
        folder, `every` the seconds from one heartbeat to the next.
        """
        super().__init__(client)
        self._schema = schema
        self._table = f"{schema}.{TABLE}"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = FileLock(path)
        self._path = path
        self._every = every
        self._owner: str | None = None
        self._asked = -ASK_EVERY
        self._one_at_a_time = threading.Lock()
        self._ended = threading.Event()
        self._heart = threading.Thread(target=self._beat, daemon=True)

    def take(self) -> bool:
        """Takes the lock if it is free; whether it did. Asks the warehouse every two seconds."""
        self._folder.reading = self.reading
        if time.monotonic() - self._asked < ASK_EVERY or not self._folder.take():
            return False
        self._asked = time.monotonic()
        if self._connect():
            self._make_table()
        ours = self._folders_name()
        owner = ours + uuid.uuid4().hex
        self._ask(TAKE, owner, PROCESS.format(**this_process()), ours.replace("_", "\\_") + "%")
        self._owner = owner
        if not self._is_held():
            self._give_back()
            return False
        self._heart.start()
        return True

    def holder(self) -> str:
        if self._is_open:
            for holder, seconds in self._ask(HOLDER):
                return f"{holder}; last heartbeat {seconds} s ago, free after {FREE_AFTER} s"
        return self._folder.holder()

    def release(self) -> None:
        self._ended.set()
        if self._heart.is_alive():
            self._heart.join()
        if self._is_open and self._owner:
            with suppress(DatabaseException):  # it is free in five minutes then
                self._give_back()
        super().release()
        self._folder.release()

    def _make_table(self) -> None:
        """Makes the table with its row in one step, so that there is one row only."""
        self._ask(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
        self._ask(
            "CREATE TABLE IF NOT EXISTS {table} AS SELECT CAST(NULL AS VARCHAR) AS owner,"
            " CAST(NULL AS VARCHAR) AS holder, CURRENT_TIMESTAMP() AS alive_at"
        )
        if not self._ask("SELECT 1 FROM {table}"):  # a user has emptied it
            self._ask("INSERT INTO {table} (owner) SELECT NULL")

    def _folders_name(self) -> str:
        """What the owners from this working folder begin with, as long as the machine is up."""
        found = self._path.stat()
        boot = BOOT.read_text().strip() if BOOT.exists() else ""
        return f"{socket.gethostname()} {boot} {found.st_dev:x} {found.st_ino:x} "

    def _is_held(self) -> bool:
        owners = self._ask("SELECT DISTINCT owner FROM {table} WHERE owner IS NOT NULL")
        return [owner for (owner,) in owners] == [self._owner]

    def _give_back(self) -> None:
        self._ask("UPDATE {table} SET owner = NULL WHERE owner = %s", self._owner)
        self._owner = None

    def _beat(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._ask(
                    "UPDATE {table} SET alive_at = CURRENT_TIMESTAMP() WHERE owner = %s",
                    self._owner,
                )
            except Exception as error:  # noqa: BLE001 - whatever it is, the load goes on
                # the next one may arrive; whether the lock is still held, `verify` asks
                logger.debug("a heartbeat did not arrive: %s", error)

    def _ask(self, sql: str, *values: Any) -> list[Any]:
        with self._one_at_a_time:
            return super()._ask(sql.format(table=self._table), *values)
