"""`signalwire-orders dashboard`: the reports as one HTML file that opens anywhere."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pipelines.dashboard.data import load
from pipelines.dashboard.page import render
from pipelines.logs import set_up_logging
from pipelines.reports import dialect_of
from pipelines.target import find_target
from sources.signalwire.errors import ConfigurationError


def main(arguments: argparse.Namespace) -> int:
    """Writes the page and prints its path."""
    set_up_logging()
    target = find_target(arguments.destination, arguments.dataset)
    dialect_of(target.kind)  # says so where there can be none
    page = render(load(target))
    out = Path(arguments.out)
    try:
        _replace(out, page)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from error
    sys.stdout.write(f"{out}\n")
    return 0


def _replace(out: Path, page: str) -> None:
    """Swaps the file in whole: whoever has the old one open never sees half a page."""
    beside = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        # the page names the digests of its own text, so no newline of it may change
        beside.write_text(page, encoding="utf-8", newline="\n")
        beside.replace(out)
    finally:
        beside.unlink(missing_ok=True)
