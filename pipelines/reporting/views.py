"""The reports as views at a destination, created in one transaction where they are missing."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dlt.destinations.exceptions import DatabaseException

from pipelines.destinations.base import Destination
from pipelines.destinations.naming import Schemas, folded, in_reports, literal, reports_dataset
from pipelines.errors import ReportsFailed
from pipelines.errors.explain import first_line
from pipelines.reporting.catalog import Report, configured_reports, dialect_of, in_full
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

logger = logging.getLogger(__name__)

# the view that holds the version of the reports
VERSION = "reports_version"


def apply_reports(target: Destination, *, always: bool = False) -> bool:
    """Creates the views at a destination; whether there was anything to do.

    With `always` it creates them also if they are there already in this version.

    Raises:
        ReportsFailed: one of them could not be created. Then none is changed.
    """
    dialect = dialect_of(target)
    found = configured_reports()
    with target.probe.sql_client() as client:
        schemas = target.schemas(client)
        version = _version(found.values(), schemas, dialect)
        if not always and _is_there(client, target.dataset, version, len(found) + 1):
            return False
        if missing := _missing_tables(client, found.values(), target.dataset):
            if always:
                raise ConfigurationError(
                    f"{', '.join(missing)}: not loaded yet, and the reports need them;"
                    " signalwire-orders run"
                )
            return False
        views = {name: in_full(report.query, schemas, dialect) for name, report in found.items()}
        views[VERSION] = f"SELECT '{version}' AS version"
        schema = in_reports(client, target.dataset)
        target.create_schema(client, reports_dataset(target.dataset), schema)
        comments = _comments(schema, found.values()) if target.comments_on_views else ()
        try:
            _create(client, schema, views, comments)
            target.keep_views(client, views)
        except DatabaseException as error:
            raise ReportsFailed(
                f"the views in {reports_dataset(target.dataset)} could not be created; what was"
                " loaded is in its tables. Try again with: signalwire-orders reports apply"
                f" ({first_line(error)})"
            ) from error
    logger.info("created %d views in %s", len(found), reports_dataset(target.dataset))
    return True


def _create(client: Any, schema: str, views: Mapping[str, str], comments: Sequence[str]) -> None:
    def create() -> None:
        for name, query in views.items():
            client.execute_sql(f"CREATE OR REPLACE VIEW {schema}.{name} AS {query}")
        client.execute_many(comments)

    try:
        with client.begin_transaction():
            create()
    except DatabaseException:
        # columns of an existing view cannot be dropped or renamed: replace the views whole
        with client.begin_transaction():
            for name in reversed([*views]):
                client.execute_sql(f"DROP VIEW IF EXISTS {schema}.{name}")
            create()


def _comments(schema: str, found: Iterable[Report]) -> list[str]:
    """Statements that put the descriptions where BI programs show them."""
    statements = []
    for report in found:
        name = f"{schema}.{report.name}"
        statements.append(f"COMMENT ON VIEW {name} IS {literal(report.grain)}")
        for column, meaning in report.columns.items():
            statements.append(f"COMMENT ON COLUMN {name}.{column} IS {literal(meaning)}")
    return statements


def _missing_tables(client: Any, found: Iterable[Report], dataset: str) -> list[str]:
    needed = set().union(*(report.sources for report in found)) & TABLES.keys()
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    there = client.execute_sql(sql, folded(client, dataset)) or ()
    return sorted(needed - {name.lower() for (name,) in there})


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
    parts = [*map(str, schemas), dialect, *map(str, found)]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
