"""Published copies: what a reader finds in them, compared with the database as whole rows."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.publishing.snapshot import MARK
from pipelines.reporting.catalog import configured_reports
from sources.signalwire.records.schema import TABLES
from support.workspace import Workspace

DAY = 24 * 3600
PLACES = ["bi.duckdb", "exports"]


def sources(place: Path) -> dict[str, dict[str, str]]:
    """How a reader names each table and each report of a copy, in DuckDB's SQL."""
    if place.is_dir():
        return {
            "tables": {path.stem: f"'{path}'" for path in place.glob("*.parquet")},
            "reports": {path.stem: f"'{path}'" for path in place.glob("reports/*.parquet")},
        }
    with duckdb.connect(str(place), read_only=True) as copy:
        found = copy.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
    kinds = {"signalwire": "tables", "signalwire_reports": "reports"}
    return {
        kind: {name: f"{schema}.{name}" for schema, name in found if schema == its_schema}
        for its_schema, kind in kinds.items()
    }


def copied(place: Path, source: str) -> list[dict[str, Any]]:
    """The rows of a table or report of a copy, with times in UTC."""
    with duckdb.connect(*((str(place), True) if place.is_file() else ())) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"SELECT * FROM {source}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]], name: str) -> None:
    """Whole rows, in any order; two databases calculate a last digit differently."""

    def plain(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        made = [
            tuple((k, float(v) if isinstance(v, Decimal) else v) for k, v in row.items())
            for row in rows
        ]
        return sorted(made, key=lambda row: repr([v for _, v in row if not isinstance(v, float)]))

    for copied_row, row in zip(plain(found), plain(expected), strict=True):
        assert [k for k, _ in copied_row] == [k for k, _ in row], name
        for (column, value), (_, original) in zip(copied_row, row, strict=True):
            near = pytest.approx(original, rel=1e-12) if isinstance(original, float) else original
            assert value == near, f"{name}.{column}"


def assert_is_a_copy(place: Path, workspace: Workspace) -> None:
    """Whole rows of everything, under the same names and in the same order of columns."""
    found = sources(place)
    assert found["tables"].keys() == TABLES.keys() | {MARK}
    assert found["reports"].keys() == configured_reports().keys()
    for name in found["tables"].keys() - {MARK}:
        assert_same(copied(place, found["tables"][name]), workspace.table(name), name)
    for name, source in found["reports"].items():
        original = workspace.rows(f"SELECT * FROM signalwire_reports.{name}")
        assert_same(copied(place, source), original, name)


def orders_in(place: Path) -> list[dict[str, Any]]:
    """The orders that a copy holds, as the API serves them."""
    rows = copied(place, sources(place)["tables"]["orders"])
    for row in rows:
        del row["deleted_at"], row["read_at"]
    return sorted(rows, key=lambda row: str(row["id"]))


def leftovers(workspace: Workspace) -> list[str]:
    """What lies hidden beside the copies."""
    return sorted(path.name for path in workspace.folder.iterdir() if path.name.startswith("."))


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder with its bytes, links with where they lead; dlt's own left out."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and not name.startswith("data/") and not name.endswith(".lock"):
            found[name] = path.read_bytes()
    return found
