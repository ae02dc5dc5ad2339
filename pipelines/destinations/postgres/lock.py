"""The lock of a run in PostgreSQL."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipelines.destinations.lock import CLOSED, PROGRAM, DatabaseLock, this_process
from pipelines.errors import LockLost
from sources.signalwire.options import MAX_SHARDS, Shard


class PostgresLock(DatabaseLock):
    """Advisory locks, which the server takes back when the connection ends.

    A run holds its shard's alone, and its layout's (how many shards there are) together with the
    other shards of it: runs of the same layout are concurrent, runs of different ones exclude each
    other, because their shards overlap. Without shards there is one, 1/1.
    """

    # also where a pooler gives every transaction another connection
    lost = unknown = CLOSED.format("database")

    # the second key of a lock; the first is made from the dataset's name
    _TAKING = 0  # held for a moment, while the two others are taken
    _CHANGING_TABLES = MAX_SHARDS + 1

    # how the server shows a dataset's locks, to others too; keys are shown as unsigned numbers
    _LOCKS = (
        "l.locktype = 'advisory' AND l.granted AND l.classid = %s"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )

    def __init__(self, client: Any, dataset: str, shard: Shard | None) -> None:
        super().__init__(client)
        digest = hashlib.blake2b(dataset.encode(), digest_size=4).digest()
        self._dataset = int.from_bytes(digest, "big", signed=True)
        number, self._layout = shard or (1, 1)
        self._shard = 2 * MAX_SHARDS * self._layout + number

    def take(self) -> bool:
        if self._connect():
            name = "{0} pid {pid} on {host}".format(PROGRAM, **this_process())
            self._ask("SELECT set_config('application_name', %s, false)", name[:63])
        with self._held(self._TAKING):
            if self._holders():
                return False
            self._ask("SELECT pg_advisory_lock(%s, %s)", self._dataset, self._shard)
            self._ask("SELECT pg_advisory_lock_shared(%s, %s)", self._dataset, self._layout)
        return True

    def holder(self) -> str:
        found = self._holders()
        if not found:
            return "a process that has just ended"
        name, role, address, since = found[0]
        if since is None:  # the server shows that to the same role and to administrators only
            return f"{name or 'a process'}, as the role {role}"
        return f"{name or 'a process'} (from {address or 'this machine'}), since {since:%F %T%z}"

    @contextmanager
    def schema_lock(self) -> Iterator[None]:
        with self._held(self._CHANGING_TABLES):
            yield

    def _is_held(self) -> bool:
        """Whether this very connection holds it."""
        held = self._ask(
            f"SELECT 1 FROM pg_locks l WHERE {self._LOCKS} AND l.objid = %s"  # noqa: S608
            " AND l.pid = pg_backend_pid()",
            self._dataset % 2**32,
            self._shard,
        )
        return bool(held)

    def _holders(self) -> list[Any]:
        """The holders of this shard, or of any of another layout."""
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
            raise LockLost(self.unknown) from error
        try:
            yield
        finally:
            # with a connection that broke off, the lock has gone already
            with suppress(Exception):
                self._ask("SELECT pg_advisory_unlock(%s, %s)", self._dataset, key)
