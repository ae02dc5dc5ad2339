"""A file made from a destination's reports, as `dashboard` and `bi` write it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from sources.printable import printable

if TYPE_CHECKING:
    from pipelines.destinations.base import Destination


def source_of(
    arguments: argparse.Namespace, option: str, what: str, is_one: Callable[[str], bool]
) -> Destination:
    """The destination whose reports are to be written to `arguments.out`; writes nothing yet.

    Args:
        arguments: The command's, with the destination and dataset.
        option: What the path was given as, for messages.
        what: What is written, in words.
        is_one: Recognises such a file by its first characters; nothing else is replaced.

    Raises:
        ConfigurationError: something else is there, or the destination has no reports.
    """
    from pipelines.destinations.resolve import find_target
    from pipelines.publishing.output import require_apart, require_output
    from pipelines.reporting.catalog import dialect_of

    require_output(arguments.out, option, what, is_one)
    target = find_target(arguments.destination, arguments.dataset)
    require_apart(arguments.out, option, target)
    dialect_of(target)  # refuses a destination without reports
    return target


def write(out: Path, content: str | bytes) -> bool:
    """Writes a file and prints its path; False where the file is what this program prints.

    Raises:
        ConfigurationError: it cannot be written there.
        BrokenPipeError: its reader is gone.
    """
    from pipelines.publishing.output import is_standard_output, write_output
    from sources.signalwire.errors import ConfigurationError

    try:
        write_output(out, content)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}") from error
    if is_standard_output(out):
        return False
    sys.stdout.write(f"{printable(str(out))}\n")
    return True
