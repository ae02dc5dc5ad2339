"""What led to an error: its causes, and those that a run treats in a way of their own."""

from __future__ import annotations

from sources.signalwire.errors import ConfigurationError

# what DuckDB and SQLite say of a file that is damaged, or is none of theirs
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
    "put a backup in its place, or move it away, then run again: a run without a database reads"
    " everything there is"
)


class Busy(RuntimeError):
    """Another run holds the destination; the text says which."""


class LockLost(RuntimeError):
    """The lock's connection broke, so that another run may have begun."""


class KeysFailed(RuntimeError):
    """A table holds a key twice; the text says which."""


class DamagedDatabase(RuntimeError):
    """The database file is not one that DuckDB wrote; the text says what to do."""


class NothingLoaded(ConfigurationError):
    """There is no database yet, or no orders in it; the text says where they would be."""


class PublishFailed(RuntimeError):
    """The data is loaded, but the copy could not be published; the text says why."""


def interruption_in(error: BaseException) -> KeyboardInterrupt | None:
    """The signal that `error` came from, if it did: dlt wraps it like any other cause."""
    return next((cause for cause in causes_of(error) if isinstance(cause, KeyboardInterrupt)), None)


def causes_of(error: BaseException | None) -> list[BaseException]:
    """The error and everything that led to it, the outermost first."""
    causes: list[BaseException] = []
    while error is not None and error not in causes:
        causes.append(error)
        error = error.__cause__ or getattr(error, "exception", None) or error.__context__
    return causes


def database_trouble(error: BaseException) -> str | None:
    """What keeps a database shut or from being written to, in words; None if it is not that."""
    text = str(error)
    if "Could not set lock on file" in text:
        return (
            "the database file is open in another program, which keeps everybody else out; close"
            f" it there or wait, then run again ({first_line(error)})"
        )
    if "No space left on device" in text or "not enough space" in text.lower():
        return f"the disk is full; make room, then run again ({first_line(error)})"
    if any(words in text for words in DAMAGED):
        return f"the database is damaged, or is no database at all ({first_line(error)}); {RECOVER}"
    if NEWER in text:
        return (
            "the database was written by a newer DuckDB than the one installed here; install that"
            f" one: pip install --upgrade duckdb ({first_line(error)})"
        )
    if "permission denied for" in text:
        refusal = text[text.index("permission denied for") :].splitlines()[0]
        return f"the database refuses to be written to ({refusal.strip()})"
    if "must be owner of" in text:
        refusal = text[text.index("must be owner of") :].splitlines()[0]
        return (
            f"the database refuses a change of its tables ({refusal.strip()}); load as the role"
            " that owns them, or GRANT that role to this one"
        )
    if "read-only" in text.lower() or isinstance(error, PermissionError):
        return f"the database cannot be written to ({first_line(error)})"
    return None


def first_line(error: BaseException) -> str:
    """The first line of what an error says, 300 characters at most; else its name."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__
