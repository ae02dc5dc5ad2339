"""Names of schemas and catalogs, and how statements write them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

# catalogs that DuckDB always has, so that a schema of such a name is ambiguous
ALWAYS_THERE = frozenset({"system", "temp"})


def reports_dataset(dataset: str) -> str:
    """The schema that the views of a dataset are in."""
    return f"{dataset}_reports"


def catalog_of(database: str | Path) -> str:
    """What DuckDB calls a file's catalog: the file's name up to its first dot.

    Statements take `a.b` for a schema and a table, or for a catalog and a table, whichever is
    there: with a schema of the catalog's name, only three parts are clear.
    """
    name = Path(os.path.realpath(database)).name.partition("?")[0]
    stem = next((part for part in name.split(".") if part), "")
    taken = ALWAYS_THERE | {"main"}
    if stem.casefold() not in taken:
        return stem
    # before 2.0 DuckDB calls a file MAIN.duckdb `MAIN`
    free = stem not in taken and version("duckdb").startswith("1.")
    return stem if free else f"{stem}_db"


def is_ambiguous(catalog: str, schemas: Collection[str]) -> bool:
    """Whether one of these schemas is called like its catalog, so that two parts do not do."""
    return catalog.casefold() in {schema.casefold() for schema in schemas}


class Schemas(NamedTuple):
    """The schemas of tables and reports, as a statement in DuckDB's dialect writes them.

    `catalog` comes before them where names of two parts are ambiguous.
    """

    tables: str
    reports: str
    catalog: str | None = None


def schemas_to_show(dataset: str, *, upper: bool = False) -> Schemas:
    """The schemas of a dataset for people to read: in quotes only where they must be."""
    names = (dataset, reports_dataset(dataset))
    return Schemas(*(_as_needed(name.upper() if upper else name, name) for name in names))


def _as_needed(name: str, plain: str) -> str:
    simple = re.fullmatch("[a-z_][a-z0-9_]*", plain) and plain not in _keywords()
    return plain if simple else quoted(name)


@cache
def _keywords() -> frozenset[str]:
    import duckdb  # only to print statements

    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category = 'reserved'"
        ).fetchall()
    return frozenset(name for (name,) in found)


def quoted(name: str) -> str:
    """A name in SQL, as DuckDB and PostgreSQL write it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def folded(client: Any, name: str) -> str:
    """A name as the destination's catalog shows it: in upper case on some."""
    return str(client.capabilities.casefold_identifier(name))


def in_reports(client: Any, dataset: str, name: str | None = None) -> str:
    """A report in full, or the schema of all, as a statement for this destination names it."""
    path = client.make_qualified_table_name_path(name, dataset_name=reports_dataset(dataset))
    return ".".join(path)
