"""Shards as processes of their own, which can be killed at any step.

They are forked, so that dozens of rounds take minutes, not an hour.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from multiprocessing.context import ForkServerProcess
from typing import Any

from support.at_call import at_call, kill
from support.forked import CONTEXT

# the n-th call of one of these is the last thing a process does
DEATHS = (
    "sources.signalwire.http.client:Client.get",
    "sources.signalwire.crawl.run_record:RunLog.end",
    "dlt.pipeline.pipeline:Pipeline.sync_schema",
    "dlt.load.load:Load.load_single_package",
    "dlt.load.load:Load.start_new_jobs",
    "dlt.load.load:Load.complete_jobs",
    "dlt.load.load:Load.complete_package",
)
COMPLETE, IN_PART, FAILED = 0, 3, 1


def start(
    shard: str, environment: dict[str, str], dies_at: tuple[str, int] | None = None, **settings: Any
) -> ForkServerProcess:
    """A process that loads one shard, on its way."""
    process = CONTEXT.Process(target=_load, args=(shard, environment, dies_at, settings))
    process.start()
    return process


def _load(
    shard: str,
    environment: dict[str, str],
    dies_at: tuple[str, int] | None,
    settings: dict[str, Any],
) -> None:
    os.environ.update(environment)
    from pipelines.signalwire_orders import run

    with at_call(*dies_at, kill) if dies_at else nullcontext():
        result = run(shard=shard, **settings)
    os._exit(COMPLETE if result.stats.complete else IN_PART)
