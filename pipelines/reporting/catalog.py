"""The reports: read from `sql/*.sql`, and translated into a destination's dialect.

A file is a comment and a query in DuckDB's dialect. The comment's first paragraph says what one row
stands for, then comes a line for each column, then the columns for a narrow terminal, the most
important first. The query names tables of the dataset and other reports without a schema. A query
that is `@measures` is made from the Jinja template `sql/shared/measures.sql` with the settings that
follow, and so for the other files there.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dlt
import sqlglot

from pipelines.destinations.base import Destination
from pipelines.destinations.configuration import defaults
from pipelines.destinations.naming import Schemas, literal, schemas_to_show
from pipelines.reporting.dialects import DIALECTS, translated
from pipelines.reporting.promises import MOST_HOURS, Promise, parse_promises, rows_of, with_default
from pipelines.reporting.values import listed
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

logger = logging.getLogger(__name__)

FOLDER = Path(__file__).with_name("sql")
REPORT_NAMES = frozenset(path.stem for path in FOLDER.glob("*.sql"))
ON_TERMINAL = "On a terminal"
# settings and the names that they had before, which are still read
RENAMED = {"sla_hours": "targets", "main_sla_hours": "main_target"}
# the name of what is read, and what else it is called; texts and comments are neither
SOURCES = re.compile(r"--.*|'(?:[^']|'')*'|\b((?:FROM|JOIN)\s+)(\w+)\b(\s+AS\b)?")
# a row of the age groups in `backlog.sql`
AGE_GROUP = re.compile(r"\('([^']+)', ([\d.]+), ([\d.]+)\)")
# dialects whose names are folded to upper case, so that dlt makes them so
UPPER_CASE = frozenset({"snowflake"})


@dataclass(frozen=True)
class Report:
    """One view: its name, what a row stands for, its columns' descriptions, its query.

    `on_terminal` are columns for a narrow terminal, the most important first.
    """

    name: str
    grain: str
    columns: Mapping[str, str]
    query: str
    on_terminal: tuple[str, ...] = ()

    @property
    def sources(self) -> set[str]:
        """The names that it reads from: tables, reports, and parts of its own query."""
        return {name for _, name, _ in SOURCES.findall(self.query) if name}


def load_reports(
    sla_hours: Sequence[float], main_sla_hours: float, promises: Sequence[Promise] = ()
) -> dict[str, Report]:
    """All reports by name, each after those it builds on.

    `main_sla_hours` is the one of the `sla_hours` that counts for orders that no promise is for.
    """
    read = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.sql"))}
    targets = [(hours, hours == main_sla_hours) for hours in sorted({*sla_hours})]
    promised = rows_of(with_default(promises, main_sla_hours))
    for name, rows in (("processing_targets", targets), ("promises", promised)):
        read[name] = _with_values(read[name], rows)
    graph = {name: report.sources & read.keys() for name, report in read.items()}
    return {name: read[name] for name in TopologicalSorter(graph).static_order()}


def configured_reports() -> dict[str, Report]:
    """The reports with the settings `reports.sla_hours`, `main_sla_hours` and `sla`."""
    return load_reports(*configured_targets(), configured_promises())


def one_report(found: Mapping[str, Report], name: str) -> Report:
    """The report of that name; ConfigurationError if there is none."""
    if name not in found:
        raise ConfigurationError(f"there is no report {name!r}; choose from {', '.join(found)}")
    return found[name]


def require_report_settings() -> bool:
    """Checks the settings of reports before anything is read; whether a run creates the views."""
    configured_targets()
    configured_promises()
    for name, before in RENAMED.items():
        if dlt.config.get(f"reports.{before}") is not None:
            logger.warning("the setting reports.%s is now reports.%s; rename it", before, name)
    return bool(dlt.config.get("reports.apply", bool))


def configured_targets() -> tuple[list[float], float]:
    """The targets in hours, and the main one of them.

    Raises:
        ConfigurationError: they are not numbers of hours, or the main one is not among them.
    """
    (all_name, all_hours), (main_name, main) = (_setting(name) for name in RENAMED)
    try:
        hours = listed(all_hours)
        if not isinstance(hours, list) or any(isinstance(h, bool) for h in (*hours, main)):
            raise ValueError
        numbers, main_number = [float(hour) for hour in hours], float(main)
        if main_number not in numbers or not all(0 < hour <= MOST_HOURS for hour in numbers):
            raise ValueError
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"reports.{all_name} ({all_hours}) has to be a list of hours, more than 0 and up to"
            f" {MOST_HOURS}, and reports.{main_name} ({main}) one of them"
        ) from None
    return numbers, main_number


def configured_promises() -> list[Promise]:
    """The promises of the setting `reports.sla`; none without one."""
    found: Any = dlt.config.get("reports.sla")
    return parse_promises(found) if found else []


def _setting(name: str) -> tuple[str, Any]:
    """A renamed setting: the name that is in use, and its value.

    The earlier name counts where the new one still has the shipped default.
    """
    value: Any = dlt.config.get(f"reports.{name}")
    before: Any = dlt.config.get(f"reports.{RENAMED[name]}")
    if before is not None and value == defaults()["reports"][name]:
        return RENAMED[name], before
    return name, value


def in_full(query: str, schemas: Schemas, dialect: str) -> str:
    """A query over tables and reports in a dialect, with their names in full."""
    return translated(with_names(query, partial(_full_name, schemas)), dialect)


def with_names(query: str, full: Callable[[str], str]) -> str:
    """A query in which tables and reports are called what `full` makes of their names."""

    def renamed(found: re.Match[str]) -> str:
        read_from, name, alias = found.groups()
        if name not in TABLES and name not in REPORT_NAMES:
            return found[0]
        # columns are named with their table, which now has a longer name
        return f"{read_from}{full(name)}{alias or f' AS {name}'}"

    return SOURCES.sub(renamed, query)


def age_groups() -> list[tuple[str, float, float]]:
    """The groups of the report `backlog`: their names, and the hours that they are between."""
    found = AGE_GROUP.findall((FOLDER / "backlog.sql").read_text(encoding="utf-8"))
    return [(name, float(least), float(most)) for name, least, most in found]


def _full_name(schemas: Schemas, name: str) -> str:
    full = f"{schemas.tables if name in TABLES else schemas.reports}.{name}"
    if not schemas.catalog:
        return full
    # from names in a view DuckDB takes the catalog away, from a text it does not
    statement = f"FROM {schemas.catalog}.{full}".replace("'", "''")
    return f"query('{statement}')"


def dialect_of(target: Destination) -> str:
    """The SQL dialect of a destination; ConfigurationError if it has no reports."""
    if target.dialect is None:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigurationError(f"there are no reports for {target.kind}; known are {known}")
    return target.dialect


def require_dialect(dialect: str) -> str:
    """The dialect, if reports can be translated into it; ConfigurationError if not."""
    if dialect not in DIALECTS:
        known = ", ".join(sorted(DIALECTS))
        raise ConfigurationError(f"there is no dialect {dialect!r} here; choose from {known}")
    return dialect


def definition(report: Report, dataset: str, dialect: str) -> str:
    """The statement that creates the view, with the descriptions as a comment, for people."""
    comment = [f"-- {report.grain}", "--"]
    comment += [f"-- {name}: {meaning}" for name, meaning in report.columns.items()]
    schemas = schemas_to_show(dataset, upper=dialect in UPPER_CASE)
    written = sqlglot.parse_one(schemas.reports, read="duckdb", into=sqlglot.exp.Table)
    view = f"{written.sql(dialect)}.{report.name}"
    query = in_full(report.query, schemas, dialect)
    return "\n".join([*comment, f"CREATE VIEW {view} AS", f"{query};"])


def _read(path: Path) -> Report:
    grain, columns, query = _parts(path.read_text(encoding="utf-8"))
    shown = columns.pop(ON_TERMINAL, "")
    if shared := re.match(r"@(\w+)", query):
        settings = dict(re.findall(r"^(\w+) = (.*)$", query, re.MULTILINE))
        template, known = _shared(shared[1])
        if unknown := settings.keys() - known:
            raise TypeError(f"{path.name}: @{shared[1]} knows no {', '.join(sorted(unknown))}")
        _, further, query = _parts(template.render(settings))
        shown = f"{shown}, {further.pop(ON_TERMINAL)}"
        columns |= further
    return Report(path.stem, grain, columns, query, tuple(re.findall(r"\w+", shown)))


@cache
def _shared(name: str) -> tuple[Any, set[str]]:
    """The template of a shared query, and the settings that it knows."""
    # commands that read no reports do not wait for it
    from jinja2 import Environment, StrictUndefined, meta

    source = (FOLDER / "shared" / f"{name}.sql").read_text(encoding="utf-8")
    sql = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)  # noqa: S701 - SQL is no HTML
    return sql.from_string(source), meta.find_undeclared_variables(sql.parse(source))


def _parts(text: str) -> tuple[str, dict[str, str], str]:
    lines = text.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("--"))
    comment = [line[2:].strip() for line in lines[:end]]
    gap = comment.index("")
    described = dict(line.split(": ", 1) for line in comment[gap:] if line)
    return " ".join(comment[:gap]), described, "\n".join(lines[end:]).strip()


def _with_values(report: Report, rows: Iterable[tuple[str | float | bool, ...]]) -> Report:
    """The report with these rows in the place of those in its file."""
    written = ", ".join(f"({', '.join(map(_value, row))})" for row in rows)
    before, values, _ = report.query.partition("(VALUES ")
    _, alias, after = report.query.rpartition("AS t (")
    return replace(report, query=f"{before}{values}{written})\n    {alias}{after}")


def _value(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return literal(value) if isinstance(value, str) else repr(value)
