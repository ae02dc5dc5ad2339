"""The project's settings as dlt's last resort, wherever the command runs.

dlt reads `.dlt/` in the current folder, in Airflow the one beside the DAGs. The settings that come
with this project have to hold in any other folder too, or telemetry would be on there.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence
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

from sources.signalwire.errors import ConfigurationError

NAME = "signalwire-orders defaults"
DEFAULTS = Path(__file__).with_name("configuration.toml")
# most often it is the quotes that are missing
ADVICE = 'not valid TOML; text needs quotes, as in name = "value"'


def register_defaults() -> None:
    """Adds the settings that come with the project behind all others; doing it again is fine.

    Raises:
        ConfigurationError: a file of settings cannot be read; the message says where in it.
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
    # dlt passes over what is no file, and what may not be looked at
    paths = [path for provider in providers.providers for path in provider.locations]
    if fault := _first_fault(paths, parse=False):
        raise ConfigurationError(fault)
    dlt.config.register_provider(
        CustomLoaderDocProvider(NAME, _load, supports_secrets=False, locations=[str(DEFAULTS)])
    )
    # dlt reads its runtime settings, telemetry among them, as soon as it is imported: once more
    stop_telemetry()
    active().initialize_runtime()


def _fault_in(paths: Sequence[str]) -> str:
    found = _first_fault(paths, parse=True)
    return found or f"{' or '.join(paths)} cannot be read; check that they are valid TOML"


def _first_fault(paths: Sequence[str], *, parse: bool) -> str | None:
    """What is wrong with the first file that cannot be read, and where; not a word of its text."""
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
        return f"line {line}, column 1: not valid TOML; the key or table stands there twice"
    return None


def _line_of_fault(lines: Sequence[str]) -> int:
    """The first line with which the ones before are no longer valid; the parser does not say."""
    for count in range(1, len(lines)):
        try:
            tomlkit.parse("\n".join(lines[:count]))
        except ParseError:
            continue  # in the middle of a text or list of several lines
        except TOMLKitError:
            return count
    return len(lines)


def _load() -> dict[str, Any]:
    return dict(tomlkit.parse(DEFAULTS.read_text(encoding="utf-8")).unwrap())
