"""Errors in sentences: what happened, to what, and what to do."""

from __future__ import annotations

import errno
import os
import re
import signal
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
from dlt.common.runtime.run_context import active
from dlt.destinations.exceptions import DestinationConnectionError

from pipelines.errors import FAILED, WRONG_USAGE, PipelineError
from sources.signalwire.errors import ConfigurationError, SignalWireError
from sources.signalwire.options import range_of
from sources.signalwire.settings import NUMBERS

INTERRUPTED = "interrupted; nothing is lost, the next run loads the rest"
SOURCE_SECTION = ("sources", "signalwire")
# what DuckDB and SQLite say of a file that is damaged or not theirs
DAMAGED = (
    "not a valid DuckDB database",
    "Corrupt database file",
    "Could not read enough bytes from file",
    "Could not read from file",
    "Failed to deserialize",
    "Serialization Error",
    "database has been invalidated because of a previous fatal error",
    "file is not a database",
    "database disk image is malformed",
)
# to dlt's name of a destination the extra that has its packages
EXTRAS = {"postgres": "postgres", "snowflake": "snowflake", "filesystem": "delta"}
DRIVERS = ("psycopg2", "snowflake.connector")
RECOVER = (
    "restore a backup or move the file away, then run again: without a database, a run reads"
    " everything"
)
NOT_WRITABLE = (
    "the database cannot be written to ({line}); check the permissions of this user or role"
)
# what an error of a database says, and what it means: `{line}` is its first line, `{found}` what
# the pattern finds in it
DATABASE_TROUBLES = {
    "Could not set lock on file": (
        "the database file is open in another program, which locks it; close it there or wait,"
        " then run again ({line})"
    ),
    "No space left on device|(?i:not enough space)": (
        "the disk is full; free some space, then run again ({line})"
    ),
    "Out of Memory Error.*": (
        "DuckDB needs more memory than it may use ({found}); raise memory_limit in"
        " destination.duckdb.credentials.global_config, or run where there is more"
    ),
    "|".join(DAMAGED): f"the database is damaged or not a database ({{line}}); {RECOVER}",
    "Trying to read a database file with version": (
        "the database was written by a newer DuckDB than the one installed here; upgrade it:"
        " pip install --upgrade duckdb ({line})"
    ),
    "permission denied for.*": (
        "the database refuses to be written to ({found}); GRANT the right to the role that this"
        " program connects as"
    ),
    "must be owner of.*": (
        "the database refused to change its tables ({found}); load as the role that owns them, or"
        " GRANT that role to this one"
    ),
    "(?i:read-only)": NOT_WRITABLE,
}


def explain(error: BaseException) -> tuple[str, int]:
    """One sentence on what happened and what to do, and the exit code.

    The first of the error's causes that is understood counts, the outermost first.
    """
    if interruption := interruption_in(error):
        number = getattr(interruption, "signal_code", signal.SIGINT)
        return INTERRUPTED, 128 + (number if number > 0 else signal.SIGINT)
    causes = causes_of(error)
    for cause in causes:
        if isinstance(cause, PipelineError):
            return str(cause), cause.exit_code
        if found := setting_trouble(cause):
            return found, WRONG_USAGE
        if isinstance(cause, SignalWireError):
            return str(cause), FAILED
        if found := database_trouble(cause):
            return found, FAILED
        if _is_no_connection(cause):
            return (
                f"no connection to the destination ({first_line(causes_of(cause)[-1])}); check that"
                " the server is running and reachable, and the host, database and credentials",
                FAILED,
            )
    return f"{type(error).__name__}: {first_line(causes[-1])}", FAILED


def interruption_in(error: BaseException) -> KeyboardInterrupt | None:
    """The signal that caused `error`, if one did: dlt wraps it like any other cause."""
    return next((cause for cause in causes_of(error) if isinstance(cause, KeyboardInterrupt)), None)


def causes_of(error: BaseException | None) -> list[BaseException]:
    """The error and everything that led to it, the outermost first."""
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or getattr(error, "exception", None) or error.__context__
    return causes


def database_trouble(error: BaseException) -> str | None:
    """Why a database cannot be opened or written, and what to do; None for any other error."""
    line = first_line(error)
    for pattern, sentence in DATABASE_TROUBLES.items():
        if found := re.search(pattern, str(error)):
            return sentence.format(line=line, found=found[0].strip())
    return NOT_WRITABLE.format(line=line) if isinstance(error, PermissionError) else None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, at most 300 characters; its type without any text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _is_no_connection(error: BaseException) -> bool:
    # drivers need not be installed; what a server answers has classes of its own
    kind = type(error)
    return isinstance(error, DestinationConnectionError) or (
        kind.__name__ == "OperationalError" and kind.__module__.startswith(DRIVERS)
    )


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
            extra = EXTRAS.get(name)
            package = f"signalwire-orders[{extra}]" if extra else f"dlt[{name}]>=1.31,<2"
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
    # this project's subclasses are all called Credentials, dlt's classes after the destination
    names = (kind.__name__ for kind in error.spec.__mro__)
    name = next(n for n in names if n != "Credentials").removesuffix("Credentials").lower()
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


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """The error for a path in dlt's data folder that cannot be written."""
    return ConfigurationError(
        f"dlt's data folder cannot be written to: {path} ({error.strerror or error}); change its"
        " owner or permissions, or set DLT_DATA_DIR to another folder"
    )
