"""Whether the credentials of a destination are of its own kind, before anything is opened."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException

from sources.signalwire.errors import ConfigurationError

# the names that its URLs begin with, and what is expected instead of another one
SCHEMES = {"duckdb": ("duckdb",), "postgres": ("postgresql", "postgres")}
EXPECTED = {
    "duckdb": "the path of a file, such as signalwire_orders.duckdb",
    "postgres": "postgresql://user:password@host:5432/database",
}
# it writes its log beside another file, so that a load is lost when it is committed
MISREAD = {"\\": "a slash", "?": "the end of the name"}
SCHEME = re.compile(r"(?:^|/)([A-Za-z][A-Za-z0-9+.-]*)://")


def require_own_credentials(kind: str, credentials: Any) -> None:
    """Refuses the URL of another kind of database, and paths that DuckDB takes for other ones.

    Args:
        kind: dlt's name for the type of destination.
        credentials: Its resolved credentials.

    Raises:
        ConfigurationError: it is such a one. The message repeats nothing but the URL's scheme.
    """
    if kind not in SCHEMES:
        return
    _require_scheme(kind, str(credentials.drivername or SCHEMES[kind][0]))
    if kind == "duckdb":
        # what cannot be parsed as a URL dlt takes for a path
        if found := SCHEME.search(str(credentials.database or "")):
            _require_scheme(kind, found[1])
        require_duckdb_path(str(credentials.database or ""), "destination.duckdb.credentials")


def require_duckdb_path(path: str | Path, option: str) -> None:
    """Refuses a path that DuckDB takes for another one.

    Raises:
        ConfigurationError: it is such a one.
    """
    for character, meaning in MISREAD.items():
        if character in str(path):
            raise ConfigurationError(
                f"{option}: {path} has a {character!r}, which DuckDB takes for {meaning}; name"
                " another file, or another folder to run in"
            )


def refuse_foreign_url(destination: str, error: ConfigFieldMissingException) -> None:
    """Says so where fields are missing because a URL is of another kind of database.

    Raises:
        ConfigurationError: it is.
    """
    for kind in SCHEMES:
        if kind not in error.spec_name.lower():
            continue
        for name in (f"destination.{destination}.credentials", "destination.credentials"):
            value: Any = dlt.secrets.get(name)
            if isinstance(value, str) and (found := SCHEME.match(value)):
                _require_scheme(kind, found[1])


def _require_scheme(kind: str, scheme: str) -> None:
    if scheme.lower() not in SCHEMES[kind]:
        raise ConfigurationError(
            f"destination.{kind}.credentials is a URL of another kind ({scheme}:…); expected is"
            f" {EXPECTED[kind]}. To load elsewhere, choose with --destination"
        )
