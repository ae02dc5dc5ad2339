"""A look at the lock between the steps of a load.

A server that restarts takes the lock back, while dlt goes on loading over new connections; another
run could begin meanwhile, and both would share the staging tables. So the lock is verified before
every job that follows another, and once more before the load counts: the cursors in it hold from
that moment on.
"""

from __future__ import annotations

from typing import Any

from dlt.common.runtime.collector_base import Collector

from pipelines.destinations.lock import Lock


class LockWatch(Collector):
    """dlt's progress, of which only the steps of a load matter: each verifies the lock.

    Raises LockLost out of the load, which leaves its package pending.
    """

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._loading = False

    def update(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Called by dlt as each job ends, the last one before the load is marked as complete."""
        if self._loading:
            self._lock.verify()

    def _start(self, step: str) -> None:
        self._loading = step.startswith("Load")

    def _stop(self) -> None:
        self._loading = False
