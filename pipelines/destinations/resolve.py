"""Where a run loads to: one dataset of one destination, with a working directory of its own."""

from __future__ import annotations

import hashlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import dlt
from dlt.common.configuration.exceptions import ConfigFieldMissingException
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.common.runtime.collector import NULL_COLLECTOR
from dlt.common.runtime.collector_base import Collector
from dlt.pipeline.pipeline import Pipeline

from pipelines.configuration import register_defaults
from pipelines.destinations.credentials import refuse_foreign_url, require_own_credentials
from pipelines.destinations.naming import require_usable
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import Shard

PIPELINE_NAME = "signalwire_orders"
_NO_SHARDS = {
    "duckdb": "a DuckDB file takes one writer at a time, so shards would only wait for each other;"
    " run without --shard, with more --workers, or load into --destination postgres"
}
_NO_SHARDS_THERE = (
    "nothing keeps the shards apart on {}; run without --shard, or load into --destination postgres"
)


class Target(NamedTuple):
    """A dataset of a destination.

    `kind` is dlt's name for the type of destination, or of the database behind its `sqlalchemy`;
    `location` where the data lies (a file, a server and its database), `description` the same in
    words, without credentials. `probe` is a pipeline that is good for asking only: it has no
    working directory. `shard` is the part of the space that is loaded, None if all of it is: parts
    share the tables, and nothing else. `dataset` is its name at the destination, as dlt normalised
    it, and `asked_for` the name that was given.
    """

    kind: str
    location: str
    dataset: str
    description: str
    probe: Pipeline
    names: dict[str, Any]
    shard: Shard | None = None
    asked_for: str | None = None

    @property
    def pipeline_name(self) -> str:
        """dlt's name for the pipeline, under which it keeps the state: one for each part."""
        if self.shard is None:
            return PIPELINE_NAME
        return f"{PIPELINE_NAME}_{self.shard.part}_of_{self.shard.of}"

    @property
    def pipelines_dir(self) -> Path:
        """The folder of dlt's working directory for this target and no other.

        dlt keeps one working directory per pipeline name. What an interrupted run left there for
        one database must never be loaded into another.
        """
        identity = f"{self.kind} {self.location} {self.dataset}"
        digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
        return Path(get_dlt_pipelines_dir()) / f"{PIPELINE_NAME}-{digest}"

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keeps a DuckDB file open between the many short connections that dlt makes to it.

        Each of them would read the file anew, and write out what the one before left in its log.
        Other programs cannot open the file meanwhile, so the API is never read in here.
        """
        if self.kind != "duckdb":
            yield
            return
        with self.probe.sql_client():
            yield

    def open_pipeline(self, progress: Collector = NULL_COLLECTOR) -> Pipeline:
        """The pipeline that loads here. Two processes must not have it open at the same time."""
        pipeline: Pipeline = dlt.pipeline(
            self.pipeline_name,
            pipelines_dir=str(self.pipelines_dir),
            progress=progress,
            **self.names,
        )
        return pipeline


def normalized(dataset: str) -> str:
    """The name that dlt makes of a dataset's, by the naming convention that is set."""
    return str(dlt.Schema(PIPELINE_NAME).naming.normalize_table_identifier(dataset))


def find_target(
    destination: str | None = None, dataset: str | None = None, shard: Shard | None = None
) -> Target:
    """The target that dlt's settings and these names lead to; nothing is opened or written.

    Raises:
        ConfigurationError: the destination cannot be loaded into by several processes at once, or
            its credentials are those of another kind of database.
        ConfigFieldMissingException: dlt's; a setting without a default is not set.
        UnknownDestinationModule: dlt's; there is no such destination.
    """
    register_defaults()
    given = {"destination": destination, "dataset_name": dataset}
    names: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    with tempfile.TemporaryDirectory() as nowhere:
        probe: Pipeline = dlt.pipeline(PIPELINE_NAME, pipelines_dir=nowhere, **names)
        if probe.destination.destination_type == "dlt.destinations.postgres":
            from pipelines.destinations.postgres import configure  # only needed there

            configure(probe.destination)
        try:
            config = probe.destination_client().config
        except ConfigFieldMissingException as error:
            refuse_foreign_url(probe.destination.destination_name, error)
            raise
    # dlt looks every setting up again for each of its clients, some fifty times a run, unless they
    # are given; and clients that share their credentials share a connection to DuckDB
    names["destination"] = probe.destination
    names["dataset_name"] = probe.dataset_name
    params = {name: getattr(config, name) for name in config.get_resolvable_fields()}
    kind, location = _identity(config)
    credentials: Any = config.credentials
    require_own_credentials(kind, credentials)
    if shard is not None:
        if kind != "postgres":
            raise ConfigurationError(_NO_SHARDS.get(kind, _NO_SHARDS_THERE.format(kind)))
        # in one staging dataset for all, each would empty what the others are about to merge
        params["staging_dataset_name_layout"] += f"_{shard.part}_of_{shard.of}"
    probe.destination.config_params = params
    if kind == "duckdb":
        from pipelines.destinations.duckdb_merge import merge_from_files  # of no use elsewhere

        merge_from_files()
        # whichever path led to the file, it is one file: one working directory and one lock
        credentials.database = location = os.path.realpath(location)
    client = probe.sql_client()
    require_usable(kind, client.dataset_name, client.capabilities)
    names["dataset_name"] = client.dataset_name
    return Target(
        kind=kind,
        location=location,
        dataset=client.dataset_name,
        # dlt imports SQLAlchemy, a tenth of a second, to write the same
        description=f"duckdb:///{location}" if kind == "duckdb" else str(config),
        probe=probe,
        names=names,
        shard=shard,
        asked_for=probe.dataset_name,
    )


def _identity(config: Any) -> tuple[str, str]:
    """What kind of destination it is, and where the data lies."""
    kind = config.destination_type.rpartition(".")[2]
    if kind != "sqlalchemy":
        return kind, config.data_location() or ""
    # its merge statements make SQLAlchemy warn about itself, and nobody here can change that
    warnings.filterwarnings("ignore", "implicitly coercing SELECT", module="dlt")
    backend = config.credentials.get_backend_name()
    if backend == "sqlite":
        return backend, str(Path(config.credentials.database).resolve())
    return backend, config.data_location() or ""
