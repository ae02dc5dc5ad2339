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


@dataclass(frozen=True)
class Dialect:
    """How reports are written for a database, and what is known of the result.

    The texts are expressions in the dialect itself, with the parts that `shape_of` finds in braces;
    None leaves the shape to sqlglot. `caveat` is empty where every number was compared with
    DuckDB's.
    """

    percentile: str | None = None
    epoch: str | None = None
    seconds_between: str | None = None
    weekday: str | None = None
    later_day: str | None = None
    next_row: str | None = None
    rewrites: tuple[Callable[[exp.Expression], None], ...] = ()
    caveat: str = ""


def shape_of(node: Any) -> tuple[str, dict[str, Any]] | None:
    """The shape that a node of DuckDB's syntax tree has, by its field in `Dialect`, and its parts.

    None if it has none of them.
    """
    match node:
        # percentile_cont(share) WITHIN GROUP (ORDER BY value), exact and interpolated
        case exp.WithinGroup(this=quantile, expression=exp.Order(expressions=[ordered])):
            return "percentile", {"share": quantile.this, "value": ordered.this}
        # extract(epoch FROM later - earlier), with six digits
        case exp.Extract(name="EPOCH", expression=exp.Sub(this=later, expression=earlier)):
            return "seconds_between", {"later": later, "earlier": earlier}
        # extract(epoch FROM time): seconds since 1970, with six digits
        case exp.Extract(name="EPOCH", expression=time):
            return "epoch", {"time": time}
        # extract(isodow FROM time): 1 for Monday to 7 for Sunday
        case exp.Extract(name="ISODOW", expression=time):
            return "weekday", {"time": time}
        # day + number * INTERVAL '1' DAY
        case exp.Add(this=day, expression=exp.Mul(this=number, expression=exp.Interval())):
            return "later_day", {"day": day, "number": number}
        # lead(value), in a window: null after the last row
        case exp.Lead(this=value):
            return "next_row", {"value": value}
    return None


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
PLACE = "({share} * (COUNT({value}) - 1))"
NEIGHBOUR = "ARRAY_AGG({value} IGNORE NULLS ORDER BY {value})[SAFE_OFFSET(CAST(%s AS INT64))]"
LOWER, UPPER = NEIGHBOUR % f"FLOOR{PLACE}", NEIGHBOUR % f"CEIL{PLACE}"

DIALECTS: Mapping[str, Dialect] = {
    "duckdb": Dialect(),
    "postgres": Dialect(),
    "clickhouse": Dialect(
        percentile="quantileExactInclusiveOrNull({share})({value})",
        epoch="(toUnixTimestamp64Micro(toDateTime64({time}, 6)) / 1e6)",
        seconds_between="(DATE_DIFF(MICROSECOND, {earlier}, {later}) / 1e6)",
        later_day="addDays({day}, {number})",
        next_row="lead(toNullable({value}))",
        rewrites=(named_columns, standard_settings),
    ),
    "databricks": Dialect(
        percentile="PERCENTILE({value}, {share})",
        epoch="(UNIX_MICROS({time}) / CAST(1e6 AS DOUBLE))",
        seconds_between="((UNIX_MICROS({later}) - UNIX_MICROS({earlier})) / CAST(1e6 AS DOUBLE))",
        weekday="(WEEKDAY({time}) + 1)",
    ),
    "snowflake": Dialect(
        epoch="(DATE_PART(EPOCH_MICROSECOND, {time}) / 1e6)",
        seconds_between="(DATEDIFF(MICROSECOND, {earlier}, {later}) / 1e6)",
        weekday="DAYOFWEEKISO({time})",
        later_day="DATEADD(DAY, {number}, {day})",
        caveat="run in fakesnow, which translates it to DuckDB's SQL, and not on Snowflake itself",
    ),
    "bigquery": Dialect(
        # between the two neighbours in the sorted values: there is no such aggregate
        percentile=f"({LOWER} + ({PLACE} - FLOOR({PLACE})) * ({UPPER} - {LOWER}))",
        epoch="(UNIX_MICROS({time}) / 1e6)",
        seconds_between="(DATETIME_DIFF({later}, {earlier}, MICROSECOND) / 1e6)",
        weekday="(MOD(EXTRACT(DAYOFWEEK FROM {time}) + 5, 7) + 1)",
        later_day="DATE_ADD({day}, INTERVAL {number} DAY)",
        caveat="not run on BigQuery, only parsed",
    ),
    "redshift": Dialect(
        epoch="(DATEDIFF(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP), {time} AT TIME ZONE 'UTC')"
        " / 1e6)",
        seconds_between="(DATEDIFF(MICROSECOND, {earlier}, {later}) / 1e6)",
        weekday="((EXTRACT(DOW FROM {time}) + 6) % 7 + 1)",
        later_day="DATEADD(DAY, {number}, {day})",
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


def _rewritten(node: Any, name: str, dialect: Dialect) -> Any:
    shape, parts = shape_of(node) or ("", {})
    text: str | None = getattr(dialect, shape, None)
    if text is None:
        return node
    written = {
        part: value.transform(_rewritten, name, dialect).sql(name, comments=False)
        for part, value in parts.items()
    }
    return exp.var(text.format(**written))
