"""The reports as a dbt package: a source for each table, a model for each report, and tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from pipelines.destinations.configuration import require_folder
from pipelines.reporting.catalog import Report, age_groups, with_names
from pipelines.reporting.dialects import translated
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES

NAME = "signalwire_orders"
PROJECT_FILE = "dbt_project.yml"
# what begins every file that is written here, after the sign of a comment
MARK = "made by: signalwire-orders reports dbt"
# reports with one row for each value of their first column
KEYED = frozenset({
    "order_processing", "stuck_orders", "number_processing", "failed_numbers",
    "numbers_by_campaign", "campaign_approval", "brand_approval", "newest_runs",
    "processing_targets", "target_attainment", "backlog", "backlog_by_day", "data_quality",
    "processing_time_by_brand", "processing_time_by_campaign", "processing_time_by_use_case",
    "processing_time_survival", "processing_time_curve",
})  # fmt: skip
ACCEPTED = {
    ("order_processing", "status"): ["processed", "failed", "deleted", "open"],
    ("number_processing", "status"): ["completed", "failed", "deleted", "waiting"],
    ("numbers_time_to_usable", "grouped_by"): ["all", "campaign", "brand", "use case"],
    ("slower_than_before", "measure"): ["median", "p90"],
    ("backlog", "bucket"): [*(name for name, _, _ in age_groups()), "not known"],
}
# reports whose names begin so count every order once
COUNTS_OF_ALL = "processing_time_by_"
COUNTS_ALL = """\
-- NAME counts every order once
SELECT groups.orders, summary.orders AS all_orders
FROM (SELECT sum(orders) AS orders FROM {{ ref('NAME') }}) AS groups
CROSS JOIN {{ ref('processing_time_summary') }} AS summary
WHERE coalesce(groups.orders, 0) <> summary.orders"""
README = """\
# SignalWire orders for dbt

A source for each table that `signalwire-orders run` loads, a model for each report, and tests.
The SQL is {dialect}'s. Write it again after an upgrade: `signalwire-orders reports dbt .`

As a package, in `packages.yml` of your project:

    packages:
      - local: ../signalwire_orders

Or by itself, with a profile called `signalwire_orders`: `dbt build`.

The tables are expected in the schema `{dataset}`; another one is the variable `signalwire_schema`.
Models are views; `models: signalwire_orders: +materialized: table` in your project makes tables.
"""


def package(reports: Mapping[str, Report], dataset: str, dialect: str) -> dict[str, str]:
    """The files of the package by their path, with models in a SQL dialect."""
    described = {"version": 2, "sources": [_source(dataset)]}
    models = {"version": 2, "models": [_model(report) for report in reports.values()]}
    project = {
        "name": NAME,
        "version": "1.0.0",
        "config-version": 2,
        "profile": NAME,
        "model-paths": ["models"],
        "test-paths": ["tests"],
        "vars": {NAME: {"signalwire_schema": dataset}},
        "models": {NAME: {"+materialized": "view"}},
    }
    return {
        PROJECT_FILE: _yaml(project),
        "README.md": f"<!-- {MARK} -->\n{README.format(dialect=dialect, dataset=dataset)}",
        "models/sources.yml": _yaml(described),
        "models/reports.yml": _yaml(models),
        **{f"models/{r.name}.sql": _sql(_query(r, dialect)) for r in reports.values()},
        **{
            f"tests/{name}_counts_all.sql": _sql(COUNTS_ALL.replace("NAME", name))
            for name in reports
            if name.startswith(COUNTS_OF_ALL)
        },
    }


def require_package_folder(folder: Path) -> None:
    """Refuses a folder that holds anything else than an earlier package, or cannot be made."""
    if not folder.exists():
        require_folder(folder, "reports dbt")
        return
    if not folder.is_dir():
        raise ConfigurationError(f"reports dbt: {folder} is a file; name a folder")
    if any(folder.iterdir()) and not _is_ours(folder / PROJECT_FILE):
        raise ConfigurationError(
            f"reports dbt: {folder} is there already and is no package that signalwire-orders"
            " wrote; name another folder, or move it away"
        )


def write_package(folder: Path, files: Mapping[str, str]) -> None:
    """Writes the files, and removes those of an earlier package that are none of them."""
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for path in [*folder.glob("models/*"), *folder.glob("tests/*")]:
            if str(path.relative_to(folder)) not in files and _is_ours(path):
                path.unlink()
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error.strerror}") from error


def _is_ours(path: Path) -> bool:
    try:
        return MARK in path.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return False


def _source(dataset: str) -> dict[str, Any]:
    tables = []
    for table in TABLES.values():
        columns: list[dict[str, Any]] = [
            {"name": c.name, "description": c.description} for c in table.columns()
        ]
        columns[0]["data_tests"] = ["unique", "not_null"]
        tables.append({"name": table.name, "description": table.description, "columns": columns})
    schema = f"{{{{ var('signalwire_schema', '{dataset}') }}}}"
    return {"name": NAME, "schema": schema, "tables": tables}


def _model(report: Report) -> dict[str, Any]:
    columns: list[dict[str, Any]] = []
    for name, meaning in report.columns.items():
        tests: list[Any] = ["unique", "not_null"] if report.name in KEYED and not columns else []
        if values := ACCEPTED.get((report.name, name)):
            tests.append({"accepted_values": {"arguments": {"values": values}}})
        columns.append(
            {"name": name, "description": meaning, **({"data_tests": tests} if tests else {})}
        )
    return {"name": report.name, "description": report.grain, "columns": columns}


def _query(report: Report, dialect: str) -> str:
    query = translated(report.query, dialect)
    # a brace in a promise's name is no template
    return with_names(query.replace("{", "{{ '{' }}"), _reference)


def _reference(name: str) -> str:
    called = f"source('{NAME}', '{name}')" if name in TABLES else f"ref('{name}')"
    return f"{{{{ {called} }}}}"


def _sql(text: str) -> str:
    return f"-- {MARK}\n{text}\n"


def _yaml(content: Any) -> str:
    return f"# {MARK}\n" + str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
