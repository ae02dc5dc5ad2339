"""Publishing: a copy of the data that other programs may hold open while runs go on.

A DuckDB file that is being written to keeps all other programs out, and one that another program
holds open keeps runs out. A copy that is only ever replaced whole does neither.
"""

from __future__ import annotations

import logging
import secrets
from pathlib import Path

import dlt

from pipelines.destinations.capabilities import kept_by, kinds_with
from pipelines.destinations.resolve import Target
from pipelines.errors import PublishFailed, database_trouble, first_line
from pipelines.publishing.output_location import Place, find_place, working_folder
from pipelines.publishing.snapshot import write_copy
from pipelines.reporting.catalog import configured_reports
from sources.signalwire.errors import ConfigurationError

logger = logging.getLogger(__name__)


def place_to_publish(target: Target, given: str | Path | None) -> Place | None:
    """Where to publish to: `given`, else the setting `reports.publish`; None if neither is set.

    Raises:
        ConfigurationError: something that is no earlier copy is there, or the destination is none
            that copies can be made of.
    """
    path = given if given is not None else dlt.config.get("reports.publish", str)
    if not path:
        return None
    if target.shard is not None:
        raise ConfigurationError(
            "a shard is not all there is to publish; when all shards are loaded, run"
            f" signalwire-orders publish {path}"
        )
    if not kept_by(target.kind).publish:
        raise ConfigurationError(
            f"publish: copies are made of {' and '.join(kinds_with('publish'))},"
            f" not of {target.kind}"
        )
    return find_place(path, target)


def publish_copy(target: Target, place: Place) -> None:
    """Puts a copy of the data in the place of the one before.

    Only one process may publish from a target at a time: the run's lock has to be held.

    Raises:
        PublishFailed: that could not be done. The copy before is there as it was.
    """
    try:
        # once more: a run can take hours, and somebody may have put something there meanwhile
        place.verify()
        with working_folder(place, target) as folder:
            database = folder / f"copy_{secrets.token_hex(8)}.duckdb"
            write_copy(target, database, configured_reports())
            place.put(database)
    except Exception as error:
        reason = database_trouble(error) or first_line(error)
        raise PublishFailed(
            f"everything is loaded, but its copy could not be published to {place.path}"
            f" ({reason}); a copy that was there is there unchanged."
            " The next run with --publish tries again"
        ) from error
    logger.info("published to %s", place.path)
