"""Files that commands write: they only ever replace an earlier one of the same kind.

A link is followed, a device or pipe is written to, and a file is swapped in whole with the mode and
owner of the one before.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.destinations.base import Destination
from pipelines.destinations.configuration import require_folder
from sources.signalwire.errors import ConfigurationError

# enough of a file to recognise it
HEAD_BYTES = 65_536
MOST_LINKS = 40


def require_output(path: Path, option: str, what: str, is_one: Callable[[str], bool]) -> None:
    """Refuses a path where something else is than an earlier output, or nothing can be written.

    `option` is what it was given as, `what` is written there, in words, and `is_one` recognises
    such an output by its first characters.
    """
    try:
        found = path.stat()
    except FileNotFoundError:
        require_folder(path, option)
        return
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{option}: {path} cannot be written: {error}") from error
    if stat.S_ISDIR(found.st_mode):
        raise ConfigurationError(f"{option}: {path} is a folder; name a file in it")
    if stat.S_ISBLK(found.st_mode) or stat.S_ISSOCK(found.st_mode):
        raise ConfigurationError(f"{option}: {path} is no file; name another")
    if stat.S_ISREG(found.st_mode) and _open_file(path) is None and not _is(path, is_one):
        raise ConfigurationError(
            f"{option}: {path} is there already and is no {what} that signalwire-orders wrote;"
            " name another file, or move it away"
        )


def require_apart(path: Path, option: str, target: Destination) -> None:
    """Refuses a path that runs use themselves, whether it is there or not."""
    if any(same_file(path, used) for used in files_of(target)):
        raise ConfigurationError(
            f"{option}: {path} is a file that runs use themselves; name another"
        )


def files_of(target: Destination) -> Iterator[Path]:
    """The files that runs keep: the database, what lies beside it, and the log."""
    for handler in logging.getLogger("pipelines").handlers:
        if isinstance(handler, logging.FileHandler):
            yield Path(handler.baseFilename)
    if target.file is not None:
        for database in {Path(target.location), target.file}:
            for suffix in ("", ".lock", ".wal", "-wal", "-shm", "-journal"):
                yield database.with_name(database.name + suffix)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to the same file, or would if it were there."""
    try:
        return one.samefile(other)
    except OSError:
        # some file systems take both for the same name
        return os.path.realpath(one).casefold() == os.path.realpath(other).casefold()


def write_output(path: Path, content: str | bytes, *, mode: int | None = None) -> None:
    """Writes a file as a whole, so that no reader ever sees half of it; or to a device or pipe.

    The line ends of a text stay as they are. A new file has the permissions `mode`, by default
    those that the process gives.
    """
    written = content.encode() if isinstance(content, str) else content
    number = _open_file(path)
    if number is not None or (path.exists() and not path.is_file()):
        sys.stdout.flush()
        opened = os.open(path, os.O_WRONLY) if number is None else os.dup(number)
        with os.fdopen(opened, "wb") as stream:
            stream.write(written)
        return
    file = Path(os.path.realpath(path))
    beside = file.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        beside.touch(exist_ok=False)
        if mode is not None:
            beside.chmod(mode)
        keep_permissions(file, beside)
        beside.write_bytes(written)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)  # there only if something failed


def keep_permissions(before: Path, new: Path) -> None:
    """Gives a new file or folder the owner and mode of the one whose place it takes, if any."""
    try:
        was = before.stat()
    except OSError:
        return
    for owner, group in ((-1, was.st_gid), (was.st_uid, -1)):
        with suppress(OSError):  # only an administrator may give files away
            os.chown(new, owner, group)
    new.chmod(stat.S_IMODE(was.st_mode))


def is_standard_output(path: Path) -> bool:
    """Whether what is written there goes where this program prints."""
    try:
        return os.path.samestat(path.stat(), os.fstat(1))
    except OSError:
        return False


def _is(path: Path, is_one: Callable[[str], bool]) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return False
    # an empty file holds nothing that could be lost
    return not head.strip() or is_one(head.decode("utf-8", errors="replace"))


def _open_file(path: Path) -> int | None:
    """The number of this process's open file that a path such as /dev/stdout means."""
    for _ in range(MOST_LINKS):
        folder = os.path.realpath(path.parent)
        if path.name.isdigit() and re.fullmatch(rf"/dev/fd|/proc/{os.getpid()}/fd", folder):
            return int(path.name)
        if not path.is_symlink():
            return None
        path = path.parent / path.readlink()
    return None
