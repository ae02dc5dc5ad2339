"""The reports: read from `sql/*.sql`, and put into a destination's dialect.

A file is a comment and a query in DuckDB's dialect. The comment's first paragraph says what one row
stands for, then comes a line for each column. The query names tables of the dataset and other
reports without a schema. A query that is `@measures` is made from `sql/shared/measures.sql`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from graphlib import TopologicalSorter
from pathlib import Path
from string import Template
from typing import Any

import dlt
import sqlglot

from pipelines.destinations.naming import Schemas
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

FOLDER = Path(__file__).with_name("sql")
REPORT_NAMES = frozenset(path.stem for path in FOLDER.glob("*.sql"))
# of a target: 114 years
MOST_HOURS = 1_000_000
MEASURES = FOLDER / "shared" / "measures.sql"
# the name of what is read, and what else it is called
SOURCES = re.compile(r"\b((?:FROM|JOIN)\s+)(\w+)\b(\s+AS\b)?")
DIALECTS = {
    "duckdb": "duckdb", "motherduck": "duckdb", "ducklake": "duckdb", "postgres": "postgres",
    "snowflake": "snowflake", "bigquery": "bigquery", "redshift": "redshift",
    "databricks": "databricks", "clickhouse": "clickhouse",
}  # fmt: skip
# dialects whose names are folded to upper case, so that dlt makes them so
UPPER_CASE = frozenset({"snowflake"})

# what is known of the SQL in a dialect that the reports are not tested in
UNTESTED = {
    "snowflake": "not run on Snowflake",
    "bigquery": "not run on BigQuery",
    "redshift": "not run on Redshift",
    "databricks": "not run on Databricks; on Spark 3 of 18 ran, and PERCENTILE_APPROX gives other"
    " numbers",
    "clickhouse": "run on ClickHouse, where 2 of 18 worked",
}


@dataclass(frozen=True)
class Report:
    """One view: its name, what a row stands for, its columns' descriptions, its query."""

    name: str
    grain: str
    columns: Mapping[str, str]
    query: str

    @property
    def sources(self) -> set[str]:
        """The names that it reads from: tables, reports, and parts of its own query."""
        return {name for _, name, _ in SOURCES.findall(self.query)}


def load_reports(targets: Sequence[float], main_target: float) -> dict[str, Report]:
    """All reports by name, each after those it builds on.

    Args:
        targets: Hours within which orders should be processed.
        main_target: The one of them that `within_target` means.
    """
    read = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}
    name = "processing_targets"
    read[name] = _with_targets(read[name], targets, main_target)
    graph = {name: report.sources & read.keys() for name, report in read.items()}
    return {name: read[name] for name in TopologicalSorter(graph).static_order()}


def configured_reports() -> dict[str, Report]:
    """The reports with the targets of the settings `reports.targets` and `reports.main_target`.

    Raises:
        ConfigurationError: they are no numbers of hours, or the main one is not among them.
    """
    return load_reports(*_configured_targets())


def require_report_settings() -> bool:
    """Looks at the settings of reports, before anything is read; whether views are to be made.

    Raises:
        ConfigurationError: one of them cannot work.
    """
    _configured_targets()
    return bool(dlt.config.get("reports.apply", bool))


def _configured_targets() -> tuple[list[float], float]:
    targets: Any = dlt.config.get("reports.targets")
    main_target: Any = dlt.config.get("reports.main_target")
    try:
        # from the environment it comes as text
        hours = json.loads(targets) if isinstance(targets, str) else targets
        if not isinstance(hours, list) or any(isinstance(h, bool) for h in (*hours, main_target)):
            raise ValueError
        numbers, main = [float(hour) for hour in hours], float(main_target)
        if main not in numbers or not all(0 < hour <= MOST_HOURS for hour in numbers):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"reports.targets ({targets}) has to be a list of hours, more than 0 and up to"
            f" {MOST_HOURS}, and reports.main_target ({main_target}) one of them"
        ) from None
    return numbers, main


def rendered(report: Report, schemas: Schemas, dialect: str) -> str:
    """The report's query in a dialect, with every table named in full."""
    query = SOURCES.sub(partial(_in_full, schemas=schemas), report.query)
    if dialect == "duckdb":
        # what it is written in; to parse it takes longer than DuckDB to make the view
        return query
    # what it cannot say in a dialect it leaves out: the order of nulls in a window without any
    return sqlglot.transpile(
        query,
        read="duckdb",
        write=dialect,
        pretty=True,
        comments=False,
        unsupported_level=sqlglot.ErrorLevel.IGNORE,
    )[0]


def _in_full(found: re.Match[str], schemas: Schemas) -> str:
    read_from, name, alias = found.groups()
    if name not in TABLES and name not in REPORT_NAMES:
        return found[0]
    full = f"{schemas.tables if name in TABLES else schemas.reports}.{name}"
    if schemas.catalog:
        # from names in a view DuckDB takes the catalog away, from a text it does not
        statement = f"FROM {schemas.catalog}.{full}".replace("'", "''")
        full = f"query('{statement}')"
    # columns are named with their table, which now has a longer name
    return f"{read_from}{full}{alias or f' AS {name}'}"


def in_dialect(name: str, dialect: str) -> str:
    """A name that is written as in DuckDB's dialect, in another."""
    written: str = sqlglot.parse_one(name, read="duckdb", into=sqlglot.exp.Table).sql(dialect)
    return written


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


def _read(path: Path) -> Report:
    grain, columns, query = _parts(path)
    if query.startswith("@measures"):
        settings = dict(re.findall(r"^(\w+) = (.*)$", query, re.MULTILINE))
        _, measures, template = _parts(MEASURES)
        columns |= measures
        query = Template(template).substitute(_substitutes(**settings))
        # for people to read: without the lines where there was nothing to put in
        query = re.sub(r"\n +(?=\n)", "", query).rstrip()
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
        "labels": " ".join(f"max({name}) AS {name}," for name in names),
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
