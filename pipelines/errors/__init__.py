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

Errors of settings and of the API are in `sources.signalwire.errors`. Nothing here imports dlt, so
that `--help` stays quick; `explain.py` turns errors of every library into sentences.
"""

from __future__ import annotations

DONE = 0
FAILED = 1
WRONG_USAGE = 2
INCOMPLETE = 3
BUSY = 4


class PipelineError(RuntimeError):
    """Base of the errors raised on purpose; the text is for people."""

    exit_code = FAILED


class Busy(PipelineError):
    """Another run holds the destination; the text says which."""

    exit_code = BUSY


class LockLost(PipelineError):
    """The lock's connection broke, so that another run may have begun."""


class KeysFailed(PipelineError):
    """A table holds a key twice, which another program has put there."""

    def __init__(self, table: str, key: str, said: str) -> None:
        super().__init__(
            f"{table} holds the same {key} twice, which no run of this program leaves"
            f" behind; remove one of the two rows and run again ({said})"
        )


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
