"""dlt's credentials for PostgreSQL, with every part of the address optional."""

from __future__ import annotations

import dataclasses
import os
from typing import Any, Optional

from dlt.common.configuration import configspec
from dlt.destinations.impl.postgres.configuration import (
    PostgresClientConfiguration,
    PostgresCredentials,
)

DEFAULT_PORT = 5432
# a firewall forgets connections that are silent for some minutes, as the lock's is
KEEPALIVES = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}
# limits that every server knows
LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
# asked for while connecting, since the ADBC driver asks for types then
OPTIONS = dict.fromkeys(LIMITS, "0") | {"quote_all_identifiers": "off"}


@configspec(init=False)
class Credentials(PostgresCredentials):
    """dlt's credentials, of which libpq may find any part by itself.

    It knows .pgpass, service files, PGHOST and its like, and servers that ask for no password.
    """

    port: Optional[int] = None  # type: ignore[assignment]  # noqa: UP045 - dlt reads the annotation
    # dlt copies fields of such names, and looks up no setting for them
    # whether a URL says enough for libpq to find the rest
    __enough__: bool = dataclasses.field(default=False, init=False, repr=False, compare=False)
    # whether later connections may work and idle for as long as it takes
    __lifted__: bool = dataclasses.field(default=False, init=False, repr=False, compare=False)
    # whether something lies between that takes no options of ours
    __plain__: bool = dataclasses.field(default=False, init=False, repr=False, compare=False)
    # whether a pooler lies between of which it is known that it keeps sessions
    __pooled__: bool = dataclasses.field(default=False, init=False, repr=False, compare=False)

    def parse_native_representation(self, native_value: Any) -> None:
        """Called by dlt with a URL, which may leave everything to libpq but where to look."""
        super().parse_native_representation(native_value)
        self.__enough__ = bool(self.host or self.database or self.query)

    def on_partial(self) -> None:
        """Called by dlt when a part is missing: fine, if libpq knows the server and the user."""
        named = self.host or _from_libpq("host")
        known = named and (self.username or _from_libpq("user"))
        if self.__enough__ or known or _from_libpq("service"):
            self.resolve()

    def on_resolved(self) -> None:
        """Called by dlt: without a host the port, too, is libpq's to find."""
        if self.host and not self.port:
            self.port = DEFAULT_PORT

    def get_query(self) -> dict[str, Any]:
        query = {**KEEPALIVES, **super().get_query(), "client_encoding": "utf8"}
        if self.__lifted__ and not self.__plain__:
            given = query.get("options") or os.environ.get("PGOPTIONS", "")
            ours = (f"-c{name}={value}" for name, value in OPTIONS.items())
            query["options"] = " ".join((given, *ours)).strip()
        return query

    def to_native_representation(self) -> str:
        """The URL, with blanks as libpq reads them: SQLAlchemy writes them as plus signs."""
        address, mark, query = super().to_native_representation().partition("?")
        return f"{address}{mark}{query.replace('+', '%20')}"

    def where(self) -> str:
        """The server and its database, without secrets: the same for the same place."""
        query = self.query or {}
        host = self.host or query.get("host")
        database = self.database or query.get("dbname")
        service = query.get("service") or _from_libpq("service")
        if service and not host:
            return "/".join(filter(None, (f"service {service}", database)))
        host = host or _from_libpq("host") or "local"
        port = self.port or query.get("port") or _from_libpq("port") or DEFAULT_PORT
        user = self.username or query.get("user") or _from_libpq("user")
        return f"{host}:{port}/{database or _from_libpq('database') or user or ''}"

    def __str__(self) -> str:
        return super().__str__() if self.host else f"postgresql://{self.where()}"


@configspec
class Configuration(PostgresClientConfiguration):
    """dlt's configuration with these credentials."""

    credentials: Credentials = None  # type: ignore[assignment]

    def data_location(self) -> str:
        return self.credentials.where()


def _from_libpq(name: str) -> str | None:
    """What the environment says in libpq's variable of this name."""
    return os.environ.get(f"PG{name.upper()}") or None
