"""Statements that only read, for destinations whose sessions cannot be made read-only."""

from __future__ import annotations

import logging

from sources.signalwire.errors import ConfigurationError

SAFER = "write it with a program of the database's own, or as SELECT"


def require_reading(sql: str, dialect: str | None) -> None:
    """Refuses a text that is anything but one statement that reads.

    `dialect` is sqlglot's name of the SQL dialect; None for what most databases understand.

    Raises:
        ConfigurationError: it is another statement, several, or none that can be understood.
    """
    import sqlglot  # takes long, and is for this only
    from sqlglot import exp

    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of what is refused here
    try:
        found = sqlglot.parse(sql, read=dialect)
    except sqlglot.errors.SqlglotError as error:
        reason = str(error).partition("\n")[0]
        raise ConfigurationError(f"query: not understood ({reason}); {SAFER}") from None
    statement = found[0] if len(found) == 1 else None
    reads = isinstance(statement, exp.Query | exp.Describe | exp.Show)
    if statement is None or not reads or statement.find(exp.DML, exp.DDL, exp.Into):
        raise ConfigurationError(
            "query: only one statement that reads is sent here, because nothing else would keep it"
            f" from writing; {SAFER}"
        )
