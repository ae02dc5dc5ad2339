"""dlt's data folder, where its working directories and the log lie."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from dlt.common.runtime.run_context import active

from sources.signalwire.errors import ConfigurationError

# dlt makes patterns of paths there, and cuts SQL with such a path in it into statements
UNUSABLE = frozenset("%;\n\r")


def data_folder() -> Path:
    """The folder, made where it is missing.

    Raises:
        ConfigurationError: it cannot be made or written to, or dlt cannot work with its path.
    """
    folder = Path(active().data_dir)
    if found := UNUSABLE & set(str(folder.absolute())):
        raise ConfigurationError(
            f"the path of dlt's data folder, {str(folder.absolute())!r}, has a {min(found)!r}, with"
            " which dlt cannot work; set DLT_DATA_DIR to another folder"
        )
    require_writable(folder)
    return folder


def require_writable(folder: Path) -> None:
    """Makes a folder of dlt's where it is missing.

    Raises:
        ConfigurationError: that is not possible, or it cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """The error of a file or folder of dlt's that cannot be written."""
    return ConfigurationError(
        f"dlt's data folder cannot be written to: {path} ({error.strerror or error}); change its"
        " owner or permissions, or set DLT_DATA_DIR to another folder"
    )


def trouble_there(error: BaseException) -> str | None:
    """What is wrong with a file in dlt's data folder, in words; None if it is not that."""
    if not isinstance(error, OSError) or not error.filename or error.errno == errno.ENOSPC:
        return None
    path = Path(os.fsdecode(error.filename)).absolute()
    if not path.is_relative_to(Path(active().data_dir).absolute()):
        return None
    return str(unwritable(path, error))
