"""`signalwire-orders check`: is everything in place, and how old is the data? One line each."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.options import add_where, count, duration
from sources.printable import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the limits above which the check fails."""
    add_where(parser)
    age = "fail if the newest complete run is older than this, such as 90m, 2h or 1d"
    parser.add_argument("--max-age", type=duration, metavar="AGE", help=age)
    stuck = "fail if more orders than this are stuck"
    parser.add_argument("--max-stuck", type=count, metavar="N", help=stuck)


def main(arguments: argparse.Namespace) -> int:
    """Prints a line for each check; 0 when all pass, 1 when one does not."""
    import dlt

    from pipelines.cli.logs import set_up_logging
    from pipelines.destinations.resolve import find_target
    from pipelines.notify.delivery import require_urls
    from pipelines.notify.triggers import notify_findings
    from pipelines.reporting.catalog import require_report_settings
    from pipelines.reporting.health import probe_destination
    from sources.signalwire import signalwire, signalwire_client
    from sources.signalwire.http.access_check import probe
    from sources.signalwire.settings import DEFAULT_PAGE_SIZE

    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    signalwire()  # refuses the settings that a run would refuse; it sends nothing
    require_report_settings()
    require_urls()
    client = signalwire_client()
    page_size = dlt.config.get("sources.signalwire.page_size", int) or DEFAULT_PAGE_SIZE
    findings = []
    for found in (
        *probe(client, page_size),
        *probe_destination(target, max_age=arguments.max_age, max_stuck=arguments.max_stuck),
    ):
        sys.stdout.write(
            f"{'ok  ' if found.ok else 'FAIL'}  {found.what:<12} {printable(found.words)}\n"
        )
        findings.append(found)
    client.close()
    # without a limit nothing was judged: it must not resolve what a check with one has found
    limits = {"freshness": arguments.max_age, "stuck": arguments.max_stuck}
    notify_findings(target, [f for f in findings if limits.get(f.what, 0) is not None])
    return 0 if all(found.ok for found in findings) else 1
