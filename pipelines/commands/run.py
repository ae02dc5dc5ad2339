"""`signalwire-orders run`: the main job."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from pipelines.logs import set_up_logging
from pipelines.progress import shown_progress
from pipelines.signalwire_orders import RunResult, run
from sources.signalwire import RunStats

DONE = 0
DONE_IN_PART = 3
SHOWN_FAILURES = 5


def main(arguments: argparse.Namespace) -> int:
    """Runs the pipeline and prints what it did."""
    set_up_logging(quiet=arguments.quiet)
    stats = RunStats()
    with shown_progress(stats, silent=arguments.quiet):
        result = run(
            destination=arguments.destination,
            dataset=arguments.dataset,
            wait=arguments.wait,
            stats=stats,
            publish=arguments.publish,
            shard=arguments.shard,
            **_source_settings(arguments),
        )
    if arguments.json:
        import orjson

        sys.stdout.write(orjson.dumps(result.as_dict()).decode() + "\n")
    elif not arguments.quiet:
        sys.stdout.write(summary(result) + "\n")
    return DONE if stats.complete else DONE_IN_PART


def summary(result: RunResult) -> str:
    """What a run did, in a few lines for a person."""
    c = result.stats.counts()
    how = "first load" if result.stats.mode == "backfill" else "incremental"
    lines = [
        f"{c['orders_loaded']:,} orders loaded ({how}) in {result.seconds:.1f} s:"
        f" {c['orders_seen']:,} seen in {c['campaigns_walked']:,} campaigns of"
        f" {c['brands']:,} brands, {c['requests']:,} requests"
        + (f", {c['retries']:,} of them repeated" if c["retries"] else ""),
        f"into {result.destination}, dataset {result.dataset}",
    ]
    if result.published:
        lines.append(f"published to {result.published}")
    if c["rejected"]:
        lines.append(f"{c['rejected']:,} records have faults: see the table rejected")
    if failures := result.stats.failures:
        lines.append(f"NOT COMPLETE: {len(failures):,} lists could not be read:")
        lines += [f"  {reason}" for reason in failures[:SHOWN_FAILURES]]
        lines.append("they are in the table campaign_failures; the next run tries them again")
    return "\n".join(lines)


def _source_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The source's arguments that were given; all others are left to dlt's settings."""
    given = {
        "resources": arguments.resources,
        "brand_ids": arguments.brand,
        "campaign_ids": arguments.campaign,
        "order_state": arguments.state,
        "workers": arguments.workers,
        "full": arguments.full or None,
    }
    return {name: value for name, value in given.items() if value is not None}
