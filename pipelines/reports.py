"""The reports: read from `reports/*.sql`, put into a destination's dialect, made as views.

A file is a comment and a query in DuckDB's dialect. The comment's first paragraph says what one row
stands for, then comes a line for each column. The query names tables of the dataset and other
reports without a schema. A query that is `@measures` is made from `reports/shared/measures.sql`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from graphlib import TopologicalSorter
from pathlib import Path
from string import Template
from typing import Any

import dlt
import sqlglot
from dlt.destinations.exceptions import DatabaseException
from sqlglot import exp

import reports
from pipelines.target import Target
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.tables import TABLES

logger = logging.getLogger(__name__)

FOLDER = Path(reports.__file__).parent
MEASURES = FOLDER / "shared" / "measures.sql"
# a view that tells which version of the reports is there
VERSION = "reports_version"
# destinations whose views are made after every run, because there they are tested
TESTED = frozenset({"duckdb", "postgres"})
DIALECTS = {
    "duckdb": "duckdb", "motherduck": "duckdb", "ducklake": "duckdb", "postgres": "postgres",
    "snowflake": "snowflake", "bigquery": "bigquery", "redshift": "redshift",
    "databricks": "databricks", "clickhouse": "clickhouse",
}  # fmt: skip


class ReportsFailed(RuntimeError):
    """The data is loaded, but a view could not be made; the text says which and why."""


@dataclass(frozen=True)
class Report:
    """One view: its name, what a row stands for, its columns' descriptions, its query."""

    name: str
    grain: str
    columns: Mapping[str, str]
    query: str

    @cached_property
    def tree(self) -> exp.Expr:
        """The query, parsed."""
        return sqlglot.parse_one(self.query, read="duckdb")

    @property
    def tables(self) -> set[str]:
        """The tables and reports it reads."""
        own = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        return {table.name for table in self.tree.find_all(exp.Table)} - own


def load_reports(targets: Sequence[float], main_target: float) -> dict[str, Report]:
    """All reports by name, each after those it builds on.

    Args:
        targets: Hours within which orders should be processed.
        main_target: The one of them that `within_target` means.
    """
    read = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}
    name = "processing_targets"
    read[name] = _with_targets(read[name], targets, main_target)
    graph = {name: report.tables & read.keys() for name, report in read.items()}
    return {name: read[name] for name in TopologicalSorter(graph).static_order()}


def configured_reports() -> dict[str, Report]:
    """The reports with the targets of the settings `reports.targets` and `reports.main_target`.

    Raises:
        ConfigurationError: they are no numbers of hours, or the main one is not among them.
    """
    targets: Any = dlt.config.get("reports.targets")
    main_target: Any = dlt.config.get("reports.main_target")
    try:
        # from the environment it comes as text
        hours = json.loads(targets) if isinstance(targets, str) else targets
        numbers, main = [float(hour) for hour in hours], float(main_target)
        if main not in numbers or min(numbers) <= 0:
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"reports.targets ({targets}) has to be a list of hours, and reports.main_target"
            f" ({main_target}) one of them"
        ) from None
    return load_reports(numbers, main)


def reports_dataset(dataset: str) -> str:
    """The schema that the views of a dataset are in."""
    return f"{dataset}_reports"


def rendered(report: Report, dataset: str, dialect: str) -> str:
    """The report's query in a dialect, with every table named in full."""
    tree = report.tree.copy()
    own = {cte.alias for cte in tree.find_all(exp.CTE)}
    for table in list(tree.find_all(exp.Table)):
        if table.name in own:
            continue
        schema = dataset if table.name in TABLES else reports_dataset(dataset)
        table.set("db", exp.to_identifier(schema))
        if not table.alias:
            # columns are named with their table, which now has a longer name
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name)))
    # what it cannot say in a dialect it leaves out: the order of nulls in a window without any
    return tree.sql(
        dialect=dialect, pretty=True, comments=False, unsupported_level=sqlglot.ErrorLevel.IGNORE
    )


def apply_reports(target: Target, *, anew: bool = False) -> bool:
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
    schema = reports_dataset(target.dataset)
    version = _version(found.values(), target.dataset, dialect)
    with target.probe.sql_client() as client:
        if not anew and _is_there(client, schema, version, len(found) + 1):
            return False
        if missing := _missing_tables(client, found.values(), target.dataset):
            if anew:
                raise ConfigurationError(
                    f"{', '.join(missing)}: not loaded yet, and the reports need them;"
                    " signalwire-orders run"
                )
            return False
        client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        views = {name: rendered(report, target.dataset, dialect) for name, report in found.items()}
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
                    f"the views in {schema} could not be made; what was loaded is in its tables."
                    f" Try again with: signalwire-orders reports apply ({_first_line(error)})"
                ) from error
    logger.info("made %d views in %s", len(found), schema)
    return True


def dialect_of(kind: str) -> str:
    """The SQL dialect of a destination.

    Raises:
        ConfigurationError: none is known.
    """
    try:
        return DIALECTS[kind]
    except KeyError:
        raise ConfigurationError(
            f"there are no reports for {kind}; known are {', '.join(sorted(DIALECTS))}"
        ) from None


def _missing_tables(client: Any, found: Iterable[Report], dataset: str) -> list[str]:
    needed = set().union(*(report.tables for report in found)) & TABLES.keys()
    sql = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"
    return sorted(needed - {row[0] for row in client.execute_sql(sql, dataset) or ()})


def _make(client: Any, schema: str, views: Mapping[str, str], how: str) -> None:
    for name, query in views.items():
        client.execute_sql(f"{how} {schema}.{name} AS {query}")


def _is_there(client: Any, schema: str, version: str, count: int) -> bool:
    there = client.execute_sql(
        "SELECT count(*) FROM information_schema.views WHERE table_schema = %s", schema
    )
    if not there or there[0][0] < count:
        return False
    try:
        found = client.execute_sql(f"SELECT version FROM {schema}.{VERSION}")  # noqa: S608
    except DatabaseException:
        return False
    return bool(found) and found[0][0] == version


def _version(found: Iterable[Report], dataset: str, dialect: str) -> str:
    parts = [dataset, dialect, *(f"{report.name} {report.query}" for report in found)]
    return hashlib.blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()


def _read(path: Path) -> Report:
    grain, columns, query = _parts(path)
    if query.startswith("@measures"):
        settings = dict(re.findall(r"^(\w+) = (.*)$", query, re.MULTILINE))
        _, measures, template = _parts(MEASURES)
        columns |= measures
        query = Template(template).substitute(_substitutes(**settings))
    return Report(path.stem, grain, columns, query)


def _parts(path: Path) -> tuple[str, dict[str, str], str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    comment = [line[2:].strip() for line in lines[:end]]
    gap = comment.index("")
    described = dict(line.split(": ", 1) for line in comment[gap + 1 :])
    return " ".join(comment[:gap]), described, "\n".join(lines[end:]).strip()


def _substitutes(
    key: str = "", labels: str = "", columns: str = "", order: str = ""
) -> dict[str, str]:
    """What the measures are grouped by (all in one row without a key), and shown beside."""
    names = [name for name in labels.split(", ") if name]
    shown = ", ".join(part for part in (key, *names, columns) if part)
    return {
        "key_": f"{key}," if key else "",
        "labels": "".join(f"max({name}) AS {name}," for name in names),
        "columns": f"{shown},",
        "partition": f"PARTITION BY {key}" if key else "",
        "group": f"GROUP BY {key}" if key else "",
        "join": "LEFT JOIN" if key else "CROSS JOIN",
        "using": f"USING ({key})" if key else "",
        "order": f"ORDER BY {order}" if order else "",
    }


def _with_targets(report: Report, targets: Sequence[float], main_target: float) -> Report:
    rows = ", ".join(
        f"({hours!r}, {str(hours == main_target).upper()})" for hours in sorted({*targets})
    )
    query = re.sub(r"\(VALUES .*\) AS t", f"(VALUES {rows}) AS t", report.query)
    return Report(report.name, report.grain, report.columns, query)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0]
