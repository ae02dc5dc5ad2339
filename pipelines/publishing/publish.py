"""Publishing: a copy of the data that other programs may hold open while runs go on.

A DuckDB file that is being written to keeps all other programs out, and one that another program
holds open keeps runs out. A copy that is only ever replaced whole does neither.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from pathlib import Path

import dlt
import pyarrow as pa

from pipelines.destinations.base import Destination
from pipelines.destinations.configuration import require_folder
from pipelines.destinations.duckdb import require_path
from pipelines.destinations.resolve import kinds_with
from pipelines.errors import PublishFailed
from pipelines.errors.explain import database_trouble, first_line
from pipelines.publishing.output import require_apart
from pipelines.publishing.output_location import (
    DATABASE_SUFFIXES,
    DatabaseFile,
    OutputLocation,
    ParquetFolder,
    working_folder,
)
from pipelines.publishing.snapshot import ReportQuery, write_copy
from sources.signalwire.errors import ConfigurationError

logger = logging.getLogger(__name__)


def output_to_publish(target: Destination, given: str | Path | None) -> OutputLocation | None:
    """Where to publish to: `given`, else the setting `reports.publish`; None if neither is set.

    It is a DuckDB file or, without such a suffix, a folder of Parquet files.

    Raises:
        ConfigurationError: something that is no earlier copy is there, such as the data itself, or
            the destination is none that copies can be made of.
    """
    path = given if given is not None else dlt.config.get("reports.publish", str)
    if not path:
        return None
    if target.shard is not None:
        raise ConfigurationError(
            "a shard is not all there is to publish; when all shards are loaded, run"
            f" signalwire-orders publish {path}"
        )
    if not target.capabilities.publish:
        raise ConfigurationError(
            f"publish: copies are made of {' and '.join(kinds_with('publish'))},"
            f" not of {target.kind}"
        )
    try:
        place = Path(path).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"publish: {path}: {error}") from error
    if place.name in ("", ".."):
        raise ConfigurationError(f"publish: {path} has to end in the name of a file or folder")
    is_file = place.suffix.lower() in DATABASE_SUFFIXES
    output = DatabaseFile(place, target.dataset) if is_file else ParquetFolder(place)
    if target.file and output.path == target.file.resolve():
        raise ConfigurationError(f"publish: {path} is the database that runs load into itself")
    require_path(output.path, "publish")
    require_apart(output.path, "publish", target)
    output.verify()
    require_folder(output.path, "publish")
    return output


def published_database() -> Path | None:
    """The DuckDB file in the setting `reports.publish`; None if it is another place or not set."""
    path: str | None = dlt.config.get("reports.publish", str)
    if path and Path(path).suffix.lower() in DATABASE_SUFFIXES:
        return Path(path).expanduser().resolve()
    return None


def publish_copy(
    target: Destination, output: OutputLocation, reports: Mapping[str, ReportQuery]
) -> None:
    """Puts a copy of the data in place of the previous one.

    Only one process may publish from a target at a time: the run's lock has to be held.

    Raises:
        PublishFailed: that could not be done. The previous copy is unchanged.
    """
    try:
        # once more: a run can take hours, and something else may be there by now
        output.verify()
        # what reading and loading no longer need
        pa.default_memory_pool().release_unused()
        with working_folder(output, target) as folder:
            database = folder / f"copy_{secrets.token_hex(8)}.duckdb"
            write_copy(target, database, reports)
            output.put(database)
    except Exception as error:
        reason = database_trouble(error) or first_line(error)
        raise PublishFailed(
            f"everything is loaded, but its copy could not be published to {output.path}"
            f" ({reason}); the previous copy is unchanged."
            " The next run with --publish tries again"
        ) from error
    logger.info("published to %s", output.path)
