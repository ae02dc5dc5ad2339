"""What can go wrong while loading and publishing, and how it is explained.

PipelineError            its text says what happened and what to do; exit code 1
├── Busy                 another run holds the destination; exit code 4
├── LockLost             the database dropped the lock, so the load does not count
├── KeysFailed           a table holds a key twice
├── DamagedDatabase      the database file is not one that DuckDB wrote
├── NothingLoaded        there is nothing to read or copy yet; exit code 2
├── ReportsFailed        the data is loaded, but a view could not be created
├── PublishFailed        the data is loaded, but the copy could not be published
└── DemoFailed           a step of the demo failed

Errors of settings and of the API are in `sources.signalwire.errors`. Nothing here imports dlt
before an error is explained, so that `--help` stays quick.
"""

from __future__ import annotations

import signal

DONE = 0
FAILED = 1
WRONG_USAGE = 2
INCOMPLETE = 3
BUSY = 4

INTERRUPTED = "interrupted; nothing is lost, the next run loads the rest"
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
NEWER = "Trying to read a database file with version"
RECOVER = (
    "restore a backup or move the file away, then run again: without a database, a run reads"
    " everything"
)


class PipelineError(RuntimeError):
    """Base of the errors raised on purpose; the text is for people."""

    exit_code = FAILED


class Busy(PipelineError):
    """Another run holds the destination; the text says which."""

    exit_code = BUSY


class LockLost(PipelineError):
    """The lock's connection broke, so that another run may have begun."""


class KeysFailed(PipelineError):
    """A table holds a key twice; the text says which."""


class DamagedDatabase(PipelineError):
    """The database file is not one that DuckDB wrote."""


class NothingLoaded(PipelineError):
    """There is no database yet, or no orders in it; the text says where they would be."""

    exit_code = WRONG_USAGE


class ReportsFailed(PipelineError):
    """The data is loaded, but a view could not be created; the text says which and why."""


class PublishFailed(PipelineError):
    """The data is loaded, but the copy could not be published; the text says why."""


class DemoFailed(PipelineError):
    """A step of the demo failed; its own output has been shown."""


def explain(error: BaseException) -> tuple[str, int]:
    """One sentence on what happened and what to do, and the exit code.

    The first of the error's causes that is understood counts, the outermost first.
    """
    from pipelines.configuration import setting_trouble
    from sources.signalwire.errors import SignalWireError

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
    text = str(error)
    if "Could not set lock on file" in text:
        return (
            "the database file is open in another program, which locks it; close it there or wait,"
            f" then run again ({first_line(error)})"
        )
    if "No space left on device" in text or "not enough space" in text.lower():
        return f"the disk is full; free some space, then run again ({first_line(error)})"
    if any(words in text for words in DAMAGED):
        return f"the database is damaged or not a database ({first_line(error)}); {RECOVER}"
    if NEWER in text:
        return (
            "the database was written by a newer DuckDB than the one installed here; upgrade it:"
            f" pip install --upgrade duckdb ({first_line(error)})"
        )
    if "permission denied for" in text:
        return (
            f"the database refuses to be written to ({_from(text, 'permission denied for')}); GRANT"
            " the right to the role that this program connects as"
        )
    if "must be owner of" in text:
        return (
            f"the database refused to change its tables ({_from(text, 'must be owner of')}); load"
            " as the role that owns them, or GRANT that role to this one"
        )
    if "read-only" in text.lower() or isinstance(error, PermissionError):
        return (
            f"the database cannot be written to ({first_line(error)}); check the permissions of"
            " this user or role"
        )
    return None


def first_line(error: BaseException) -> str:
    """The first line of an error's text, at most 300 characters; its type without any text."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def _from(text: str, words: str) -> str:
    """The rest of the line that begins with `words`."""
    return text[text.index(words) :].splitlines()[0].strip()


def _is_no_connection(error: BaseException) -> bool:
    from dlt.destinations.exceptions import DestinationConnectionError

    # psycopg2 need not be installed; what a server answers has classes of its own
    kind = type(error)
    return isinstance(error, DestinationConnectionError) or (
        kind.__name__ == "OperationalError" and kind.__module__.startswith("psycopg2")
    )
