"""Standard output and error: what any terminal, pipe or closed stream can take."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from contextlib import suppress
from typing import Any, TextIO

from sources.printable import ACTING


def prepare() -> None:
    """Opens closed streams to nowhere, and has characters that cannot be shown replaced."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            # the lowest free number is this one: no other file may get a standard stream's
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream: TextIO | None = getattr(sys, name)
        if stream is None:
            opened = open(number, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
            setattr(sys, name, opened)
        elif isinstance(stream, io.TextIOWrapper):
            # and written at the end, where a failure is seen; argparse passes over it
            stream.reconfigure(errors="replace", write_through=False)


def is_of_output(error: BaseException) -> bool:
    """Whether it comes from writing to standard output: errors of files name their file."""
    full = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
    return isinstance(error, OSError) and error.errno in full and error.filename is None


def flush() -> OSError | None:
    """Writes out what is left, so that the interpreter's end cannot fail; else why not.

    Raises:
        BrokenPipeError: the reader of standard output has closed it.
    """
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        return error
    return None


def flush_errors() -> None:
    """Writes out what standard error holds; where that fails there is no place left to say so."""
    try:
        sys.stderr.flush()
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO) -> None:
    """Leads a stream that cannot be written to nowhere."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def json_text(value: Any, *, compact: bool = False) -> str:
    """JSON that any terminal can show: what is not safe to show stands in escapes."""
    unicode = (sys.stdout.encoding or "").lower().replace("-", "") in ("utf8", "utf8sig")
    separators = (",", ":") if compact else None
    text = json.dumps(value, ensure_ascii=not unicode, separators=separators)
    # all of them are inside of texts, where an escape means the same
    return ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
