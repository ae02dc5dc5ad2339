"""The reports in the SQL of other databases: what sqlglot cannot know is rewritten here.

Reports are written in DuckDB's dialect, and sqlglot translates the grammar. What a database has
not, or does in another way, is one of the shapes below; each dialect has its own expression for it.
What `caveat` says was seen: `tests/warehouses` runs the SQL where an engine can be had.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlglot
from sqlglot import exp

Shape = Callable[[exp.Expression], Mapping[str, exp.Expression] | None]


@dataclass(frozen=True)
class Dialect:
    """How reports are written for a database, and what is known of the result.

    The texts are expressions in the dialect itself, over the names that the shape finds; None
    leaves the shape to sqlglot. `caveat` is empty where every number was compared with DuckDB's.
    """

    percentile: str | None = None
    epoch: str | None = None
    seconds_between: str | None = None
    weekday: str | None = None
    later_day: str | None = None
    next_row: str | None = None
    rewrites: tuple[Callable[[exp.Expression], None], ...] = ()
    caveat: str = ""


def percentile(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`percentile_cont(share) WITHIN GROUP (ORDER BY value)`, exact and interpolated."""
    if not isinstance(node, exp.WithinGroup):
        return None
    (ordered,) = node.expression.expressions
    return {"share": node.this.this, "value": ordered.this}


def epoch(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`extract(epoch FROM time)`: seconds since 1970, with six digits."""
    return {"time": node.expression} if _extracts(node, "EPOCH") else None


def seconds_between(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`extract(epoch FROM later - earlier)`, with six digits."""
    if not _extracts(node, "EPOCH") or not isinstance(node.expression, exp.Sub):
        return None
    return {"later": node.expression.this, "earlier": node.expression.expression}


def weekday(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`extract(isodow FROM time)`: 1 for Monday to 7 for Sunday."""
    return {"time": node.expression} if _extracts(node, "ISODOW") else None


def later_day(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`day + number * INTERVAL '1' DAY`."""
    if not isinstance(node, exp.Add) or not isinstance(node.expression, exp.Mul):
        return None
    if not isinstance(node.expression.expression, exp.Interval):
        return None
    return {"day": node.this, "number": node.expression.this}


def next_row(node: exp.Expression) -> Mapping[str, exp.Expression] | None:
    """`lead(value)`, in a window: null after the last row."""
    return {"value": node.this} if isinstance(node, exp.Lead) else None


# in the order in which they are looked for: a difference of times before a time
SHAPES: Mapping[str, Shape] = {
    shape.__name__: shape
    for shape in (percentile, seconds_between, epoch, weekday, later_day, next_row)
}


def named_columns(tree: exp.Expression) -> None:
    """Gives columns their names: ClickHouse keeps the table's with it after a join."""
    for select in tree.find_all(exp.Select):
        for column in select.expressions:
            if isinstance(column, exp.Column) and column.table:
                column.replace(exp.alias_(column.copy(), column.name))


def standard_settings(tree: exp.Expression) -> None:
    """Has ClickHouse find nulls where an outer join finds nothing, and columns before aliases."""
    names = ("join_use_nulls", "prefer_column_name_to_alias")
    tree.set("settings", [exp.EQ(this=exp.var(n), expression=exp.Literal.number(1)) for n in names])


# of BigQuery: where a percentile lies among the sorted values, and its two neighbours there
PLACE = "(share * (COUNT(value) - 1))"
NEIGHBOUR = (
    "ARRAY_AGG(value IGNORE NULLS ORDER BY value)[SAFE_OFFSET(CAST({}" + PLACE + " AS INT64))]"
)
LOWER, UPPER = NEIGHBOUR.format("FLOOR"), NEIGHBOUR.format("CEIL")

DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(),
    "postgres": Dialect(),
    "clickhouse": Dialect(
        percentile="quantileExactInclusiveOrNull(share)(value)",
        epoch="toUnixTimestamp64Micro(toDateTime64(time, 6)) / 1e6",
        seconds_between="dateDiff('microsecond', earlier, later) / 1e6",
        later_day="addDays(day, number)",
        next_row="lead(toNullable(value))",
        rewrites=(named_columns, standard_settings),
    ),
    "databricks": Dialect(
        percentile="percentile(value, share)",
        epoch="unix_micros(time) / 1e6D",
        seconds_between="(unix_micros(later) - unix_micros(earlier)) / 1e6D",
        weekday="weekday(time) + 1",
    ),
    "snowflake": Dialect(
        epoch="DATE_PART(EPOCH_MICROSECOND, time) / 1e6",
        seconds_between="TIMESTAMPDIFF(MICROSECOND, earlier, later) / 1e6",
        weekday="DAYOFWEEKISO(time)",
        later_day="DATEADD(DAY, number, day)",
        caveat="run in fakesnow, which translates it to DuckDB's SQL, and not on Snowflake itself",
    ),
    "bigquery": Dialect(
        # between the two neighbours in the sorted values: there is no such aggregate
        percentile=f"{LOWER} + ({PLACE} - FLOOR({PLACE})) * ({UPPER} - {LOWER})",
        epoch="UNIX_MICROS(time) / 1e6",
        seconds_between="DATETIME_DIFF(later, earlier, MICROSECOND) / 1e6",
        weekday="MOD(EXTRACT(DAYOFWEEK FROM time) + 5, 7) + 1",
        later_day="DATE_ADD(day, INTERVAL number DAY)",
        caveat="not run on BigQuery, only parsed",
    ),
    "redshift": Dialect(
        epoch="DATEDIFF(MICROSECOND, TIMESTAMP '1970-01-01', time AT TIME ZONE 'UTC') / 1e6",
        seconds_between="DATEDIFF(MICROSECOND, earlier, later) / 1e6",
        weekday="MOD(EXTRACT(DOW FROM time) + 6, 7) + 1",
        later_day="DATEADD(DAY, number, day)",
        caveat="not run on Redshift, only parsed",
    ),
}


def translated(query: str, name: str) -> str:
    """A query of DuckDB's in a dialect; in its own as it is, since parsing takes its time."""
    if name == "duckdb":
        return query
    dialect = DIALECTS[name]
    tree: Any = sqlglot.parse_one(query, read="duckdb")
    if dialect != Dialect():
        tree = tree.transform(_rewritten, name, dialect)
    for rewrite in dialect.rewrites:
        rewrite(tree)
    # it leaves out what a dialect lacks: the order of nulls in a window without any
    text: str = tree.sql(
        name, pretty=True, comments=False, unsupported_level=sqlglot.ErrorLevel.IGNORE
    )
    return text


def _rewritten(node: exp.Expression, name: str, dialect: Dialect) -> Any:
    for shape, find in SHAPES.items():
        text = getattr(dialect, shape)
        found = find(node) if text else None
        if found is not None:
            return _filled(sqlglot.parse_one(text, read=name), found, name, dialect)
    return node


def _filled(template: Any, found: Mapping[str, exp.Expression], name: str, dialect: Dialect) -> Any:
    """The dialect's expression with what the shape found in the place of its names."""

    def fill(node: exp.Expression) -> Any:
        if isinstance(node, exp.Column | exp.Var | exp.Identifier) and node.name in found:
            return found[node.name].copy().transform(_rewritten, name, dialect)
        return node

    filled: Any = template.transform(fill)
    return filled if isinstance(filled, exp.Func) else exp.paren(filled, copy=False)


def _extracts(node: exp.Expression, part: str) -> bool:
    return isinstance(node, exp.Extract) and node.name.upper() == part
