"""From dlt's settings to a destination: which class stands for which kind."""

from __future__ import annotations

import tempfile
import warnings
from typing import Any

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.destination.exceptions import SqlClientNotAvailable

from pipelines.destinations.base import PIPELINE_NAME, UNLOADABLE, Destination
from pipelines.destinations.configuration import register_defaults
from pipelines.destinations.delta import Delta
from pipelines.destinations.duckdb import RESERVED, DuckDB
from pipelines.destinations.ducklake import DuckLake
from pipelines.destinations.mariadb import MariaDB
from pipelines.destinations.postgres.destination import Postgres
from pipelines.destinations.snowflake import Snowflake
from pipelines.destinations.sqlite import SQLite
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import Shard


class MotherDuck(Destination):
    """DuckDB as a service; never tried."""

    reserved_datasets = RESERVED


# by dlt's name for the type of destination, or of the database behind its `sqlalchemy`; all others
# are `Destination` itself
DESTINATIONS: dict[str, type[Destination]] = {
    "duckdb": DuckDB,
    "postgres": Postgres,
    "sqlite": SQLite,
    "mariadb": MariaDB,
    "ducklake": DuckLake,
    "snowflake": Snowflake,
    "filesystem": Delta,
    "motherduck": MotherDuck,
}


def find_target(
    destination: str | None = None, dataset: str | None = None, shard: Shard | None = None
) -> Destination:
    """Where dlt's settings lead, unless a destination (its type or name) and a dataset are named.

    Nothing is opened or written.

    Raises:
        ConfigurationError: the credentials are for another database, or shards are not possible.
        ConfigFieldMissingException: dlt's; a setting without a default is not set.
        UnknownDestinationModule: dlt's; there is no such destination.
    """
    register_defaults()
    probe = _probe(destination, dataset)
    config = _resolved(probe)
    kind = _kind(config)
    found = DESTINATIONS.get(kind, Destination)
    found.check_credentials(kind, config.credentials)
    if shard and found.no_shards:
        raise ConfigurationError(found.no_shards.format(kind=kind))
    location, description = found.locate(config)
    # dlt looks every setting up again for each of its clients, some fifty times a run, unless they
    # are given; and clients that share their credentials share a connection to DuckDB
    params = {name: getattr(config, name) for name in config.get_resolvable_fields()}
    if shard:
        # in one staging dataset for all, each would empty what the others are about to merge
        params["staging_dataset_name_layout"] += f"_{shard.part}_of_{shard.of}"
    probe.destination.config_params = params
    try:
        client = probe.sql_client()
    except SqlClientNotAvailable:
        raise ConfigurationError(UNLOADABLE.format(kind=kind)) from None
    found.check_dataset(kind, client.dataset_name, client.capabilities)
    return found(
        kind=kind,
        location=location,
        description=description,
        dataset=client.dataset_name,
        asked_for=str(probe.dataset_name),
        probe=probe,
        shard=shard,
        by_default=destination is None and dataset is None and shard is None,
    )


def kinds_with(capability: str) -> list[str]:
    """The kinds of destinations that keep one of the capabilities, by its name."""
    return [kind for kind, d in DESTINATIONS.items() if getattr(d.capabilities, capability)]


def normalized(dataset: str) -> str:
    """The name that dlt makes of a dataset's, by the naming convention that is set."""
    return str(dlt.Schema(PIPELINE_NAME).naming.normalize_table_identifier(dataset))


def _probe(destination: str | None, dataset: str | None) -> dlt.Pipeline:
    """A pipeline without a working folder, with our factory where there is one."""
    given = {"destination": destination, "dataset_name": dataset}
    names: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with tempfile.TemporaryDirectory() as nowhere:
        probe: dlt.Pipeline = dlt.pipeline(PIPELINE_NAME, pipelines_dir=nowhere, **names)
        kind = probe.destination.destination_type.rpartition(".")[2]
        probe.destination = DESTINATIONS.get(kind, Destination).factory(probe.destination)
    return probe


def _resolved(probe: dlt.Pipeline) -> Any:
    """The destination's configuration, as dlt resolves it."""
    try:
        return probe.destination_client().config
    except ConfigFieldMissingException:
        # fields can be missing because a URL is of another kind of database
        kind = probe.destination.destination_type.rpartition(".")[2]
        for key in (f"destination.{probe.destination.destination_name}", "destination"):
            credentials: Any = dlt.secrets.get(f"{key}.credentials")
            if isinstance(credentials, str):
                DESTINATIONS.get(kind, Destination).check_credentials(kind, credentials)
        raise


def _kind(config: Any) -> str:
    kind = str(config.destination_type).rpartition(".")[2]
    if kind != "sqlalchemy":
        return kind
    # dlt's merge statements cause this warning of SQLAlchemy's, which no user can act on
    warnings.filterwarnings("ignore", "implicitly coercing SELECT", module="dlt")
    backend = str(config.credentials.get_backend_name())
    return "mariadb" if backend == "mysql" else backend  # it answers to both
