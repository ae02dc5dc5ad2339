"""`signalwire-orders notify`: where messages of trouble go, what is bad, and a test of the way."""

from __future__ import annotations

import argparse
import sys

from pipelines.cli.options import add_where
from pipelines.errors import DONE, FAILED
from sources.printable import printable

NOTHING_SET = (
    "notify.urls is not set: add URLs of Apprise's to [notify] in .dlt/secrets.toml, or set"
    " NOTIFY__URLS in the environment (docs/scheduling.md)"
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds whether to send a message."""
    add_where(parser)
    test = "send a test message to each URL; exit code 1 if one does not take it"
    parser.add_argument("--test", action="store_true", help=test)


def main(arguments: argparse.Namespace) -> int:
    """Prints a line for each URL, and for each alert that is on; with `--test` after a message."""
    from pipelines.cli.logs import set_up_logging
    from pipelines.destinations.resolve import find_target
    from pipelines.loading.notify.alerts import time_of, trial_message
    from pipelines.loading.notify.delivery import deliver, named, require_urls
    from pipelines.loading.notify.state import read_state, state_file
    from pipelines.loading.notify.triggers import place_of
    from sources.signalwire.errors import ConfigurationError

    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    urls = require_urls()
    if not urls:
        raise ConfigurationError(NOTHING_SET)
    lines = [named(urls, number) for number in range(len(urls))]
    took: list[bool] = []
    if arguments.test:
        took = deliver(urls, trial_message(place_of(target)))
        lines = [f"{'ok  ' if ok else 'FAIL'}  {url}" for ok, url in zip(took, lines, strict=True)]
    else:
        for known in read_state(state_file(target)).values():
            sent = "" if known.told else " (not sent)"
            lines.append(f"since {time_of(known.since)}: {known.title}{sent}")
    sys.stdout.write("".join(f"{printable(line)}\n" for line in lines))
    return DONE if all(took) else FAILED
