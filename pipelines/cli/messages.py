"""Errors as sentences: what went wrong, and what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from dlt.common.configuration.exceptions import (
    ConfigFieldMissingException,
    ConfigurationException,
    ConfigValueCannotBeCoercedException,
    FieldLookupTraces,
    InvalidNativeValue,
    LookupTrace,
    LookupTraces,
)
from dlt.common.configuration.specs.exceptions import InvalidConnectionString
from dlt.common.destination.exceptions import UnknownDestinationModule
from dlt.common.exceptions import MissingDependencyException
from dlt.destinations.exceptions import DestinationConnectionError

from pipelines.cli.logs import tell
from pipelines.data_folder import trouble_there
from pipelines.errors import (
    Busy,
    DamagedDatabase,
    KeysFailed,
    LockLost,
    PublishFailed,
    causes_of,
    database_trouble,
    first_line,
)
from pipelines.reporting.views import ReportsFailed
from sources.signalwire.errors import ConfigurationError, SignalWireError
from sources.signalwire.options import range_of
from sources.signalwire.settings import NUMBERS

logger = logging.getLogger(__name__)

SOURCE_SECTION = ("sources", "signalwire")
FAILED = 1
WRONG_USAGE = 2
BUSY = 4


def report(error: BaseException) -> int:
    """Tells a person about `error` in a sentence, the log with its traceback; the exit code."""
    sentence, code = explain(error)
    logger.error("%s", sentence, exc_info=error)
    tell(f"signalwire-orders: {sentence}")
    for log in _log_files() if code == FAILED else ():
        tell(f"details: {log}")
    return code


def explain(error: BaseException) -> tuple[str, int]:
    """The sentence for `error`, found among its causes, and the exit code it leads to."""
    for cause in causes_of(error):
        match cause:
            case Busy():
                return str(cause), BUSY
            case ConfigurationError():
                return str(cause), WRONG_USAGE
            case InvalidConnectionString() | InvalidNativeValue():
                return _not_readable(cause), WRONG_USAGE
            case DamagedDatabase():
                return str(cause), FAILED
            case LockLost() | KeysFailed() | ReportsFailed() | PublishFailed() | SignalWireError():
                return str(cause), FAILED
            case ConfigFieldMissingException():
                return _missing(cause), WRONG_USAGE
            case UnknownDestinationModule():
                return (
                    f"there is no destination {cause.ref!r}; duckdb is the usual one",
                    WRONG_USAGE,
                )
            case MissingDependencyException():
                return _not_installed(cause), WRONG_USAGE
            case ConfigValueCannotBeCoercedException():
                return _wrong_type(cause), WRONG_USAGE
            case ConfigurationException():
                return first_line(cause), WRONG_USAGE
        if known := trouble_there(cause):
            return known, WRONG_USAGE
        if known := database_trouble(cause):
            return known, FAILED
        if _is_no_connection(cause):
            return _no_connection(cause), FAILED
    return f"{type(error).__name__}: {first_line(causes_of(error)[-1])}", FAILED


def _not_installed(error: MissingDependencyException) -> str:
    name = error.caller.partition(" ")[0]
    package = "signalwire-orders[postgres]" if name == "postgres" else f"dlt[{name}]>=1.31,<2"
    return f"{name} needs packages that are not installed: pip install '{package}'"


def _wrong_type(error: ConfigValueCannotBeCoercedException) -> str:
    name = error.field_name
    if name in NUMBERS:
        return f"sources.signalwire.{name} is no number; it has to be {range_of(name)}"
    kinds = {bool: "true or false", list: "a list", int: "a whole number", float: "a number"}
    kind = next((words for kind, words in kinds.items() if error.hint is kind), "of another type")
    return f"the setting {name} cannot be what it is set to; it has to be {kind}"


def _not_readable(error: InvalidConnectionString | InvalidNativeValue) -> str:
    name = error.spec.__name__.removesuffix("Credentials")
    kind = getattr(error.spec, "drivername", None) or name
    if kind == "duckdb":
        return "destination.duckdb.credentials is no path that a file can have; name another file"
    return (
        f"the credentials of the destination ({kind}) cannot be read; see docs/destinations.md for"
        " what they look like"
    )


def _is_no_connection(error: BaseException) -> bool:
    if isinstance(error, DestinationConnectionError):
        return True
    # psycopg2, which need not be installed; what a server answers has classes of its own
    kind = type(error)
    return kind.__name__ == "OperationalError" and kind.__module__.startswith("psycopg2")


def _no_connection(error: BaseException) -> str:
    return (
        f"no connection to the destination ({first_line(causes_of(error)[-1])}); does it run and"
        " can it be reached from here, and are its address, database, user and password right?"
    )


def _missing(error: ConfigFieldMissingException) -> str:
    keys = list(_missing_keys(error.traces))
    variables = [key.upper().replace(".", "__") for key in keys]
    return (
        f"missing: {', '.join(keys)}. Set it in .dlt/secrets.toml (see .dlt/secrets.example.toml)"
        f" or in the environment as {', '.join(variables)}."
        " To look around without an account: signalwire-orders demo"
    )


def _missing_keys(traces: FieldLookupTraces) -> Iterator[str]:
    """The keys that were looked for in vain, each where it is documented to stand."""
    for field, tried in traces.items():
        nested = [t for t in tried if isinstance(t, LookupTraces)]
        for embedded in nested:
            yield from _missing_keys(embedded.traces)
        sections = [tuple(t.sections) for t in tried if isinstance(t, LookupTrace)]
        if sections and not nested:
            # dlt also looks below the pipeline's and the source's name, which nobody has to use
            usual = SOURCE_SECTION if SOURCE_SECTION in sections else sections[0]
            yield ".".join((*usual, field))


def _log_files() -> list[Path]:
    handlers = logging.getLogger("pipelines").handlers
    return [Path(h.baseFilename) for h in handlers if isinstance(h, logging.FileHandler)]
