"""Settings: the shipped defaults, files of settings that cannot be read, and dlt's data folder.

dlt reads `.dlt/` in the current folder, in Airflow the one beside the DAGs. The shipped defaults
have to hold in every other folder too, or telemetry would be on there.
"""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dlt
import tomlkit
from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.run_context import active
from dlt.common.runtime.telemetry import stop_telemetry
from tomlkit.exceptions import ParseError, TOMLKitError

from pipelines.errors.explain import unwritable
from sources.signalwire.errors import ConfigurationError

NAME = "signalwire-orders defaults"
DEFAULTS = Path(__file__).parent.with_name("configuration.toml")
# most often it is the quotes that are missing
ADVICE = 'not valid TOML; text needs quotes, as in name = "value"'
# dlt reads paths there as patterns, and splits SQL that contains such a path into statements
UNUSABLE = frozenset("%;\n\r")


def register_defaults() -> None:
    """Adds the shipped defaults behind all other settings; idempotent.

    Raises:
        ConfigurationError: a settings file cannot be read; the message says where in it.
    """
    try:
        providers = Container()[PluggableRunContext].providers
    except TomlProviderReadException as error:
        # not as its cause: what the parser says repeats characters of a secret
        unread = f"{' or '.join(error.full_paths)} cannot be read; check that they are valid TOML"
        raise ConfigurationError(_first_fault(error.full_paths, parse=True) or unread) from None
    except ValueError as error:  # dlt's own logger does not know the level
        raise ConfigurationError(f"a setting of [runtime] cannot work: {error}") from error
    if NAME in providers:
        return
    # dlt ignores a folder in place of a file, and a file without read permission
    paths = [path for provider in providers.providers for path in provider.locations]
    if fault := _first_fault(paths, parse=False):
        raise ConfigurationError(fault)
    dlt.config.register_provider(
        CustomLoaderDocProvider(NAME, defaults, supports_secrets=False, locations=[str(DEFAULTS)])
    )
    # dlt reads its runtime settings, telemetry among them, on import: read them again
    stop_telemetry()
    active().initialize_runtime()


@cache
def defaults() -> dict[str, Any]:
    """The shipped defaults by section."""
    return dict(tomlkit.parse(DEFAULTS.read_text(encoding="utf-8")).unwrap())


def data_folder() -> Path:
    """dlt's data folder, where its working folders and the log are; created where it is missing.

    Raises:
        ConfigurationError: it cannot be created or written to, or dlt cannot work with its path.
    """
    folder = Path(active().data_dir)
    if found := UNUSABLE & set(str(folder.absolute())):
        raise ConfigurationError(
            f"the path of dlt's data folder, {str(folder.absolute())!r}, contains {min(found)!r},"
            " which dlt cannot handle; set DLT_DATA_DIR to another folder"
        )
    require_writable(folder)
    return folder


def require_writable(folder: Path) -> None:
    """Creates a folder inside dlt's data folder where it is missing.

    Raises:
        ConfigurationError: it cannot be created or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unwritable(folder, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def require_folder(path: Path, option: str) -> None:
    """Refuses a path whose folder is missing or read-only; `option` is where the path was given.

    Raises:
        ConfigurationError: it is missing or read-only.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        shown = folder if path.is_symlink() else path.parent
        raise ConfigurationError(f"{option}: there is no folder {shown}; make it first")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError(f"{option}: {path} cannot be written: its folder is read-only")


def _first_fault(paths: Sequence[str], *, parse: bool) -> str | None:
    """What is wrong with the first unreadable file, and where; nothing of its text."""
    for path in map(Path, paths):
        try:
            if path.is_dir():
                return f"{path} is a folder; settings are read from a file of that name"
            path.stat()
            fault = _fault_of(path.read_bytes()) if parse else None
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            return f"{path} cannot be read ({error.strerror}); change its permissions or remove it"
        if fault:
            return f"{path}, {fault}"
    return None


def _fault_of(content: bytes) -> str | None:
    if content.startswith(codecs.BOM_UTF8):
        return "line 1, column 1: a byte order mark; save it as UTF-8 without one"
    try:
        tomlkit.parse(content.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        return f"line {line}, column {column}: not UTF-8; save it in that encoding"
    except ParseError as error:
        return f"line {error.line}, column {error.col + 1}: {ADVICE}"
    except TOMLKitError:
        line = _line_of_fault(content.decode("utf-8").split("\n"))
        return f"line {line}, column 1: not valid TOML; the key or table is there twice"
    return None


def _line_of_fault(lines: Sequence[str]) -> int:
    """The first line that makes those before it invalid; the parser does not say which."""
    for count in range(1, len(lines)):
        try:
            tomlkit.parse("\n".join(lines[:count]))
        except ParseError:
            continue  # in the middle of a text or list of several lines
        except TOMLKitError:
            return count
    return len(lines)
