"""`signalwire-orders check`: is everything in place, and how old is the data? One line each."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields

from pipelines.cli.options import add_where, count, duration, filled, share
from sources.printable import printable


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds the limits above which the check fails."""
    add_where(parser)
    add = parser.add_argument
    add("--campaign", type=filled, metavar="ID", help="judge orders of this campaign: id or name")
    add("--brand", type=filled, metavar="ID", help="judge orders of this brand: its id or name")
    age = "fail if the newest complete run is older than this, such as 90m, 2h or 1d"
    add("--max-age", type=duration, metavar="AGE", help=age)
    add("--max-stuck", type=count, metavar="N", help="fail if more orders than this are stuck")
    within = "fail if a smaller share of orders was processed as promised, such as 0.9"
    add("--min-within-target", type=share, metavar="SHARE", help=within)
    p90 = "fail if 90 %% of orders took longer than this to be processed, such as 24h"
    add("--max-p90", type=duration, metavar="AGE", help=p90)
    add("--max-failed", type=count, metavar="N", help="fail if more orders than this have failed")
    quality = "fail if a data check of this severity or a worse one has rows: error, warning"
    add("--max-data-quality", type=filled, metavar="SEVERITY", help=quality)
    over = "judge shares, p90 and failures by orders created in so long (30d)"
    add("--over", type=duration, metavar="AGE", help=over)


def main(arguments: argparse.Namespace) -> int:
    """Prints a line for each check; 0 when all pass, 1 when one does not."""
    import dlt

    from pipelines.cli.logs import set_up_logging
    from pipelines.destinations.resolve import find_target
    from pipelines.loading.notify.delivery import require_urls
    from pipelines.loading.notify.triggers import notify_findings
    from pipelines.reporting.catalog import require_report_settings
    from pipelines.reporting.health import judged, probe_destination
    from pipelines.reporting.limits import Limits, configured_limits, with_options
    from sources.signalwire import signalwire, signalwire_client
    from sources.signalwire.http.access_check import probe
    from sources.signalwire.settings import DEFAULT_PAGE_SIZE

    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    signalwire()  # refuses the settings that a run would refuse; it sends nothing
    require_report_settings()
    require_urls()
    given = {limit.name: getattr(arguments, limit.name) for limit in fields(Limits)}
    limits = with_options(configured_limits(), **given)
    client = signalwire_client()
    page_size = dlt.config.get("sources.signalwire.page_size", int) or DEFAULT_PAGE_SIZE
    findings = []
    for found in (*probe(client, page_size), *probe_destination(target, limits)):
        sys.stdout.write(
            f"{'ok  ' if found.ok else 'FAIL'}  {found.what:<12} {printable(found.words)}\n"
        )
        if not found.ok:
            lines = [f"      {printable(example)}\n" for example in found.examples]
            sys.stdout.write("".join(lines) + (f"      more: {found.command}\n" if lines else ""))
        findings.append(found)
    client.close()
    notify_findings(target, judged(findings, limits))
    return 0 if all(found.ok for found in findings) else 1
