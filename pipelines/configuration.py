"""Settings: the shipped defaults, dlt's data folder, and what is wrong with a setting, in words.

dlt reads `.dlt/` in the current folder, in Airflow the one beside the DAGs. The shipped defaults
have to hold in every other folder too, or telemetry would be on there.
"""

from __future__ import annotations

import codecs
import errno
import os
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import dlt
import tomlkit
from dlt.common.configuration.container import Container
from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
    FieldLookupTraces,
    InvalidNativeValue,
    LookupTrace,
    LookupTraces,
)
from dlt.common.configuration.providers import CustomLoaderDocProvider
from dlt.common.configuration.providers.toml import TomlProviderReadException
from dlt.common.configuration.specs.exceptions import InvalidConnectionString
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.common.runtime.run_context import active
from dlt.common.runtime.telemetry import stop_telemetry
from tomlkit.exceptions import ParseError, TOMLKitError

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import range_of
from sources.signalwire.settings import NUMBERS

NAME = "signalwire-orders defaults"
DEFAULTS = Path(__file__).with_name("configuration.toml")
SOURCE_SECTION = ("sources", "signalwire")
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
        raise ConfigurationError(_fault_in(error.full_paths)) from None
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


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """The error for a path in dlt's data folder that cannot be written."""
    return ConfigurationError(
        f"dlt's data folder cannot be written to: {path} ({error.strerror or error}); change its"
        " owner or permissions, or set DLT_DATA_DIR to another folder"
    )


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


def setting_trouble(error: BaseException) -> str | None:
    """What is wrong with which setting, and what to do; None if `error` is not about a setting."""
    match error:
        case ConfigurationError():
            return str(error)
        case InvalidConnectionString() | InvalidNativeValue():
            return _unreadable_credentials(error)
        case ConfigFieldMissingException():
            return _missing(error)
        case UnknownDestinationModule():
            return f"there is no destination {error.ref!r}; the usual one is duckdb"
        case MissingDependencyException():
            name = error.caller.partition(" ")[0]
            package = (
                "signalwire-orders[postgres]" if name == "postgres" else f"dlt[{name}]>=1.31,<2"
            )
            return f"{name} needs packages that are not installed: pip install '{package}'"
        case ConfigValueCannotBeCoercedException():
            return _wrong_type(error)
        case ConfigurationException():
            return str(error).strip().partition("\n")[0][:300]
        case OSError(filename=str() | bytes() as name) if error.errno != errno.ENOSPC:
            path = Path(os.fsdecode(name)).absolute()
            if path.is_relative_to(Path(active().data_dir).absolute()):
                return str(unwritable(path, error))
    return None


def _wrong_type(error: ConfigValueCannotBeCoercedException) -> str:
    name = error.field_name
    if name in NUMBERS:
        return f"sources.signalwire.{name} is not a number; it has to be {range_of(name)}"
    kinds = {bool: "true or false", list: "a list", int: "a whole number", float: "a number"}
    kind = next((words for kind, words in kinds.items() if error.hint is kind), "of another type")
    return f"the setting {name} has the wrong type; it has to be {kind}"


def _unreadable_credentials(error: InvalidConnectionString | InvalidNativeValue) -> str:
    name = error.spec.__name__.removesuffix("Credentials").lower()
    return (
        f"destination.{name}.credentials is not a path or URL that can be used; see"
        " docs/destinations.md for the format"
    )


def _missing(error: ConfigFieldMissingException) -> str:
    keys = list(_missing_keys(error.traces))
    variables = [key.upper().replace(".", "__") for key in keys]
    return (
        f"missing: {', '.join(keys)}. Set it in .dlt/secrets.toml (see .dlt/secrets.example.toml)"
        f" or in the environment as {', '.join(variables)}."
        " To try it without an account: signalwire-orders demo"
    )


def _missing_keys(traces: FieldLookupTraces) -> Iterator[str]:
    """The keys that are not set, each where it is documented."""
    for field, tried in traces.items():
        nested = [t for t in tried if isinstance(t, LookupTraces)]
        for embedded in nested:
            yield from _missing_keys(embedded.traces)
        sections = [tuple(t.sections) for t in tried if isinstance(t, LookupTrace)]
        if sections and not nested:
            # dlt also looks below the pipeline's and the source's name, which are optional
            usual = SOURCE_SECTION if SOURCE_SECTION in sections else sections[0]
            yield ".".join((*usual, field))


def _fault_in(paths: Sequence[str]) -> str:
    found = _first_fault(paths, parse=True)
    return found or f"{' or '.join(paths)} cannot be read; check that they are valid TOML"


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
