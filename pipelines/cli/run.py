"""`signalwire-orders run`: the main job."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import Any

from pipelines.cli.options import COPY, add_wait, add_where, file, filled, names, whole_or_text
from pipelines.errors import DONE, INCOMPLETE
from sources.printable import printable

logger = logging.getLogger(__name__)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds what to read, where to load it, and what to print."""
    add_where(parser)
    add_wait(parser)
    add = parser.add_argument
    one = "read this {} only (repeatable)"
    add("--campaign", type=filled, action="append", metavar="ID", help=one.format("campaign"))
    add("--brand", type=filled, action="append", metavar="ID", help=one.format("brand"))
    add("--state", type=filled, help="read orders in this state only, such as pending")
    tables = "tables to load: brands, campaigns, orders (these by default), number_assignments"
    add("--resources", type=names, metavar="A,B", help=tables)
    workers = "the most concurrent requests (the setting sources.signalwire.workers)"
    add("--workers", type=whole_or_text, metavar="N", help=workers)
    full = "read every campaign to its end and compare all of it with the destination"
    add("--full", action="store_true", help=full)
    shard = "load the I-th of N parts only, concurrently with the others, into a server"
    add("--shard", type=filled, metavar="I/N", help=shard)
    add("--publish", type=filled, metavar="PATH", help=f"then write a copy: {COPY}")
    metrics = "write metrics for Prometheus' node exporter (NAME.prom), also after a failure"
    add("--metrics-file", type=file, metavar="FILE", help=metrics)
    messages = "the format of messages on standard error (text)"
    add("--log-format", choices=("text", "json"), default="text", help=messages)
    add("--json", action="store_true", help="print the result as one JSON object")
    add("--quiet", action="store_true", help="print nothing but errors")


def main(arguments: argparse.Namespace) -> int:
    """Runs the pipeline and prints what it did."""
    from pipelines.cli.logs import set_up_logging
    from pipelines.cli.metrics import metrics_of_run
    from pipelines.cli.output import json_text
    from pipelines.cli.progress import shown_progress
    from pipelines.loading.notify.delivery import require_urls
    from pipelines.loading.notify.triggers import notified_run
    from pipelines.signalwire_orders import run
    from sources.signalwire import RunStats

    as_json = arguments.log_format == "json"
    set_up_logging(quiet=arguments.quiet, as_json=as_json)
    stats = RunStats()
    place = arguments.destination, arguments.dataset, arguments.shard
    limits = {name: getattr(arguments, name) for name in ("campaign", "brand", "state")}
    with notified_run(*place, limits) as notify, metrics_of_run(arguments) as record:
        require_urls()
        with shown_progress(stats, silent=arguments.quiet, bar=not as_json):
            result = run(
                destination=arguments.destination,
                dataset=arguments.dataset,
                wait=arguments.wait,
                stats=stats,
                publish=arguments.publish,
                shard=arguments.shard,
                **_source_settings(arguments),
            )
        code = DONE if result.stats.complete else INCOMPLETE
        findings = _judged(arguments)
        record(result, code, findings)
        notify(result, findings)
    if arguments.json:
        sys.stdout.write(json_text(result.as_dict(), compact=True) + "\n")
    elif not arguments.quiet:
        sys.stdout.write(printable(result.summary(), lines=True) + "\n")
    return code


def _judged(arguments: argparse.Namespace) -> list[Any]:
    """What the limits of the settings find, each that is exceeded in a warning."""
    from pipelines.destinations.resolve import find_target
    from pipelines.reporting.health import configured_findings
    from sources.signalwire.options import parse_shard

    shard = parse_shard(arguments.shard)
    findings = configured_findings(find_target(arguments.destination, arguments.dataset, shard))
    for found in findings:
        if not found.ok:
            logger.warning("check failed: %s: %s", found.key or found.what, found.words)
    return findings


def _source_settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """The source's settings that were given; the others come from dlt's configuration."""
    given = {
        "resources": arguments.resources,
        "brand_ids": arguments.brand,
        "campaign_ids": arguments.campaign,
        "order_state": arguments.state,
        "workers": arguments.workers,
        "full": arguments.full or None,
    }
    return {name: value for name, value in given.items() if value is not None}
