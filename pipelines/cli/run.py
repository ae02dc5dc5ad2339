"""`signalwire-orders run`: the main job."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipelines.cli.logs import set_up_logging
from pipelines.cli.messages import explain
from pipelines.cli.metrics import is_metrics, write_metrics
from pipelines.cli.progress import shown_progress
from pipelines.cli.streams import json_text
from pipelines.destinations.resolve import find_target
from pipelines.errors import interruption_in
from pipelines.loading.signals import exit_code
from pipelines.publishing.output import require_apart, require_output
from pipelines.signalwire_orders import RunResult, run
from sources.printable import printable
from sources.signalwire import RunStats
from sources.signalwire.errors import ConfigurationError

DONE = 0
DONE_IN_PART = 3
SHOWN_FAILURES = 5


def main(arguments: argparse.Namespace) -> int:
    """Runs the pipeline and prints what it did."""
    set_up_logging(quiet=arguments.quiet, as_json=arguments.log_format == "json")
    stats = RunStats()
    with (
        _told_to_prometheus(arguments) as done,
        shown_progress(stats, silent=arguments.quiet, bar=arguments.log_format == "text"),
    ):
        result = run(
            destination=arguments.destination,
            dataset=arguments.dataset,
            wait=arguments.wait,
            stats=stats,
            publish=arguments.publish,
            shard=arguments.shard,
            **_source_settings(arguments),
        )
        done.append(result)
    if arguments.json:
        sys.stdout.write(json_text(result.as_dict(), compact=True) + "\n")
    elif not arguments.quiet:
        sys.stdout.write(printable(summary(result), lines=True) + "\n")
    return _exit_code(result)


@contextmanager
def _told_to_prometheus(arguments: argparse.Namespace) -> Iterator[list[RunResult]]:
    """Writes the metrics file if one is wanted, whichever way the run ends.

    The block puts the result of a run that ended well into the list.
    """
    path, started = arguments.metrics_file, time.monotonic()
    target = None
    if path is not None:
        require_output(path, "--metrics-file", "metrics file", is_metrics)
        # what is wrong with the destination is for the run to say, and for the metrics
        with suppress(Exception):
            target = find_target(arguments.destination, arguments.dataset)
    if path is not None and target is not None:
        require_apart(path, "--metrics-file", target)
    done: list[RunResult] = []
    try:
        yield done
    except BaseException as error:
        if path is not None:
            signalled = interruption_in(error)
            code = exit_code(signalled) if signalled else explain(error)[1]
            with suppress(OSError):  # what stopped the run is what has to be told
                write_metrics(path, code, time.monotonic() - started)
        raise
    if path is not None:
        try:
            write_metrics(path, _exit_code(done[0]), time.monotonic() - started, done[0], target)
        except OSError as error:
            raise ConfigurationError(
                f"everything is loaded, but --metrics-file cannot be written ({error})"
            ) from error


def _exit_code(result: RunResult) -> int:
    return DONE if result.stats.complete else DONE_IN_PART


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
        lines += [f"  {printable(reason)}" for reason in failures[:SHOWN_FAILURES]]
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
