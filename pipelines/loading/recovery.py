"""Where the last run ended: what it left behind is loaded, and the destination's state taken.

dlt's working folder is worth little: cursors move at the destination, together with the data. So
whatever in it cannot be used is dropped, and read again.
"""

from __future__ import annotations

import logging
import shutil
from contextlib import suppress
from pathlib import Path

import dlt
from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from pipelines.destinations.base import PIPELINE_NAME, Destination
from pipelines.destinations.columns import SCHEMA
from pipelines.destinations.lock import Lock
from pipelines.destinations.naming import folded
from pipelines.errors import LockLost
from pipelines.errors.explain import causes_of, database_trouble, first_line, interruption_in
from pipelines.loading.load import normalize_and_load
from pipelines.loading.lock_watch import LockWatch

logger = logging.getLogger(__name__)


def recover(target: Destination, lock: Lock) -> dlt.Pipeline:
    """The pipeline, with nothing pending, and with the state and schema of the destination.

    Raises:
        LockLost: another run may have begun.
        PipelineStepFailed: dlt's; the destination could not be read or written.
    """
    with target.shared_connection():
        pipeline = _with_nothing_pending(target, lock)
        # it moves only together with the data; local state is wrong as soon as the database was
        # replaced, restored from a backup or loaded from another machine
        if not _is_in_step(pipeline):
            pipeline.drop()
            pipeline.sync_destination()
        if target.capabilities.repair:
            with lock.schema_lock():
                _repair_tables(pipeline)
    _link_for_dlt(target)
    return pipeline


def _with_nothing_pending(target: Destination, lock: Lock) -> dlt.Pipeline:
    """The pipeline in its working folder, or in a new one if that cannot be used."""
    try:
        pipeline = target.open_pipeline(LockWatch(lock))
        # apart from the run itself: dlt loads such packages and then returns without reading
        if pipeline.has_pending_data:
            logger.info("loading what an interrupted run left behind")
            normalize_and_load(pipeline, target, lock)
    except Exception as error:
        if interruption_in(error) or _is_the_destinations(error, target):
            raise
        logger.warning(
            "what an earlier run left in the working folder cannot be used (%s);"
            " it is dropped and read again",
            first_line(causes_of(error)[-1]),
        )
        shutil.rmtree(target.pipelines_dir / target.pipeline_name, ignore_errors=True)
        pipeline = target.open_pipeline(LockWatch(lock))
    return pipeline


def _is_the_destinations(error: Exception, target: Destination) -> bool:
    """Whether the destination is to blame, so that the same may work another time."""
    return any(
        isinstance(cause, LockLost)
        or database_trouble(cause) is not None
        or target.blames_destination(cause)
        for cause in causes_of(error)
    )


def _repair_tables(pipeline: dlt.Pipeline) -> None:
    """Has dlt make dropped tables and columns again.

    It looks at what there is only while the destination does not know the schema's version.
    """
    with pipeline.destination_client() as client:
        # tables of files come back with their next rows
        if not isinstance(client, SqlJobClientBase) or not _warn_of_missing(client):
            return
        versions = client.sql_client.make_qualified_table_name(client.schema.version_table_name)
        forget = f"DELETE FROM {versions} WHERE schema_name = %s"  # noqa: S608 - our own
        client.sql_client.execute_sql(forget, SCHEMA)
    if pipeline.default_schema_name:
        # at once, since the run may load nothing into them
        pipeline.sync_schema()


def _warn_of_missing(client: SqlJobClientBase) -> bool:
    """Whether a table or column that was made is not there any more."""
    schema = client.schema
    versions_known, _ = client.get_storage_table(schema.version_table_name)
    if not versions_known:
        return False
    tables = [*schema.data_table_names(seen_data_only=True), *schema.dlt_table_names()]
    wanted = {name: [*schema.get_table_columns(name)] for name in tables}
    wanted.setdefault(schema.state_table_name, [])
    found = False
    for name, there in client.get_storage_tables(wanted):
        columns = [c for c in wanted[name] if folded(client.sql_client, c) not in there]
        if columns or not there:
            missing = f"column {', '.join(columns)}" if there else "table"
            logger.warning("%s: the %s is missing, creating it again", name, missing)
            found = True
    return found


def _is_in_step(pipeline: dlt.Pipeline) -> bool:
    """Whether the destination has the very state and schema that are kept here."""
    schema_name = pipeline.default_schema_name
    if schema_name is None:
        return False
    with pipeline.destination_client() as client:
        if not isinstance(client, WithStateSync):
            return False
        try:
            state = load_pipeline_state_from_destination(pipeline.pipeline_name, client)
            schema = client.get_stored_schema(schema_name)
        except DestinationUndefinedEntity:
            return False
    return (
        state is not None
        and schema is not None
        and state["_version_hash"] == pipeline.state.get("_version_hash")
        and schema.version_hash == pipeline.default_schema.version_hash
    )


def _link_for_dlt(target: Destination) -> None:
    """Has `dlt pipeline signalwire_orders` find the working folder of the default destination.

    dlt looks for it by the pipeline's name alone; a link leads to where it is. A folder that is
    there already stays.
    """
    if not target.by_default:
        return
    link = target.pipelines_dir.with_name(PIPELINE_NAME)
    folder = Path(target.pipelines_dir.name, target.pipeline_name)
    ours = link.is_symlink()
    if (ours and link.readlink() == folder) or (link.exists() and not ours):
        return
    with suppress(OSError):  # some file systems have no links
        link.unlink(missing_ok=True)
        link.symlink_to(folder, target_is_directory=True)
