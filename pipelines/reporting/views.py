"""The reports as views at a destination: made in one transaction, where they are not there yet."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from dlt.destinations.exceptions import DatabaseException

from pipelines.destinations.base import Destination
from pipelines.destinations.naming import Schemas, folded, in_reports, reports_dataset
from pipelines.errors import first_line
from pipelines.reporting.catalog import Report, configured_reports, dialect_of, rendered
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

logger = logging.getLogger(__name__)

# a view that tells which version of the reports is there
VERSION = "reports_version"


class ReportsFailed(RuntimeError):
    """The data is loaded, but a view could not be made; the text says which and why."""


def apply_reports(target: Destination, *, anew: bool = False) -> bool:
    """Makes the views at a destination; whether there was anything to do.

    Args:
        target: Where the tables are.
        anew: Make them also if they are there already in this version.

    Raises:
        ReportsFailed: one of them could not be made. Then none is changed.
        ConfigurationError: a setting cannot work, or the destination has no views known here.
    """
    dialect = dialect_of(target.kind)
    found = configured_reports()
    with target.probe.sql_client() as client:
        schemas = target.schemas(client)
        schema = in_reports(client, target.dataset)
        version = _version(found.values(), schemas, dialect)
        if not anew and _is_there(client, target.dataset, version, len(found) + 1):
            return False
        if missing := _missing_tables(client, found.values(), target.dataset):
            if anew:
                raise ConfigurationError(
                    f"{', '.join(missing)}: not loaded yet, and the reports need them;"
                    " signalwire-orders run"
                )
            return False
        target.create_schema(client, reports_dataset(target.dataset), schema)
        views = {name: rendered(report, schemas, dialect) for name, report in found.items()}
        views[VERSION] = f"SELECT '{version}' AS version"
        try:
            with client.begin_transaction():
                _make(client, schema, views, "CREATE OR REPLACE VIEW")
        except DatabaseException:
            # columns of a view that is there cannot be taken away or renamed
            try:
                with client.begin_transaction():
                    for name in reversed(views):
                        client.execute_sql(f"DROP VIEW IF EXISTS {schema}.{name}")
                    _make(client, schema, views, "CREATE VIEW")
            except DatabaseException as error:
                raise ReportsFailed(
                    f"the views in {reports_dataset(target.dataset)} could not be made; what was"
                    " loaded is in its tables. Try again with: signalwire-orders reports apply"
                    f" ({first_line(error)})"
                ) from error
    logger.info("made %d views in %s", len(found), reports_dataset(target.dataset))
    return True


def _missing_tables(client: Any, found: Iterable[Report], dataset: str) -> list[str]:
    needed = set().union(*(report.sources for report in found)) & TABLES.keys()
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    there = client.execute_sql(sql, folded(client, dataset)) or ()
    return sorted(needed - {name.lower() for (name,) in there})


def _make(client: Any, schema: str, views: Mapping[str, str], how: str) -> None:
    for name, query in views.items():
        client.execute_sql(f"{how} {schema}.{name} AS {query}")


def _is_there(client: Any, dataset: str, version: str, count: int) -> bool:
    there = client.execute_sql(
        "SELECT count(*) FROM information_schema.views WHERE table_schema = %s",
        folded(client, reports_dataset(dataset)),
    )
    if not there or there[0][0] < count:
        return False
    try:
        name = in_reports(client, dataset, VERSION)
        found = client.execute_sql(f"SELECT version FROM {name}")  # noqa: S608 - our own name
    except DatabaseException:
        return False
    return bool(found) and found[0][0] == version


def _version(found: Iterable[Report], schemas: Schemas, dialect: str) -> str:
    parts = [*map(str, schemas), dialect, *(f"{report.name} {report.query}" for report in found)]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
