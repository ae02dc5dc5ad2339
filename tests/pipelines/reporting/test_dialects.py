"""How reports are written for other databases; that the result runs is in `tests/warehouses`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot

from pipelines.dashboard.queries import ORDERS
from pipelines.dashboard.queries import QUERIES as PAGE
from pipelines.destinations.naming import Schemas
from pipelines.reporting.catalog import _read, in_full, load_reports
from pipelines.reporting.dialects import DIALECTS, translated

SETTINGS = " SETTINGS join_use_nulls = 1, prefer_column_name_to_alias = 1"
QUERIES = {
    "percentile": "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY h) AS p FROM t",
    "epoch": "SELECT extract(epoch FROM coalesce(a, b)) AS p FROM t",
    "seconds_between": "SELECT extract(epoch FROM a - b) AS p FROM t",
    "weekday": "SELECT extract(isodow FROM a) AS p FROM t",
    "later_day": "SELECT a + n * INTERVAL '1' DAY AS p FROM t",
    "next_row": "SELECT lead(a) OVER (ORDER BY b) AS p FROM t",
}
WRITTEN = {
    ("percentile", "clickhouse"): "quantileExactInclusiveOrNull(0.9)(h)",
    ("percentile", "databricks"): "PERCENTILE(h, 0.9)",
    ("percentile", "snowflake"): "PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY h)",
    ("percentile", "redshift"): "PERCENTILE_CONT(0.9) WITHIN GROUP (ORDER BY h)",
    ("epoch", "clickhouse"): "(toUnixTimestamp64Micro(toDateTime64(COALESCE(a, b), 6)) / 1e6)",
    ("epoch", "databricks"): "(UNIX_MICROS(COALESCE(a, b)) / CAST(1e6 AS DOUBLE))",
    ("epoch", "snowflake"): "(DATE_PART(EPOCH_MICROSECOND, COALESCE(a, b)) / 1e6)",
    ("epoch", "bigquery"): "(UNIX_MICROS(COALESCE(a, b)) / 1e6)",
    ("epoch", "redshift"): "(DATEDIFF(MICROSECOND, CAST('1970-01-01' AS TIMESTAMP),"
    " COALESCE(a, b) AT TIME ZONE 'UTC') / 1e6)",
    ("seconds_between", "clickhouse"): "(DATE_DIFF(MICROSECOND, b, a) / 1e6)",
    ("seconds_between", "databricks"): "((UNIX_MICROS(a) - UNIX_MICROS(b)) / CAST(1e6 AS DOUBLE))",
    ("seconds_between", "snowflake"): "(DATEDIFF(MICROSECOND, b, a) / 1e6)",
    ("seconds_between", "bigquery"): "(DATETIME_DIFF(a, b, MICROSECOND) / 1e6)",
    ("seconds_between", "redshift"): "(DATEDIFF(MICROSECOND, b, a) / 1e6)",
    ("weekday", "databricks"): "(WEEKDAY(a) + 1)",
    ("weekday", "snowflake"): "DAYOFWEEKISO(a)",
    ("weekday", "bigquery"): "(MOD(EXTRACT(DAYOFWEEK FROM a) + 5, 7) + 1)",
    ("weekday", "redshift"): "((EXTRACT(DOW FROM a) + 6) % 7 + 1)",
    ("later_day", "clickhouse"): "addDays(a, n)",
    ("later_day", "databricks"): "a + n * INTERVAL '1' DAY",
    ("later_day", "snowflake"): "DATEADD(DAY, n, a)",
    ("later_day", "bigquery"): "DATE_ADD(a, INTERVAL n DAY)",
    ("later_day", "redshift"): "DATEADD(DAY, n, a)",
    ("next_row", "clickhouse"): "lead(toNullable(a)) OVER (ORDER BY b)",
}
# what a database does not know, or does otherwise than DuckDB
ABSENT = {
    "clickhouse": r"WITHIN GROUP|EXTRACT\(EPOCH|\w\.\*|\* INTERVAL",
    "databricks": r"WITHIN GROUP|EXTRACT\(EPOCH|PERCENTILE_APPROX|ISODOW",
    "snowflake": r"DATE_PART\(\s*EPOCH\s*,|ISODOW|\* INTERVAL|AT TIME ZONE",
    "bigquery": r"WITHIN GROUP|EXTRACT\(EPOCH|ISODOW|PERCENTILE_CONT|\* INTERVAL",
    "redshift": r"EXTRACT\(EPOCH|ISODOW|\* INTERVAL|VALUES",
}


@pytest.mark.parametrize(("shape", "dialect"), WRITTEN)
def test_each_shape_is_written_as_the_database_has_it(shape: str, dialect: str) -> None:
    found = re.sub(r"\s+", " ", translated(QUERIES[shape], dialect)).removesuffix(SETTINGS)
    found = found.replace("( ", "(").replace(" )", ")")
    assert found == f"SELECT {WRITTEN[shape, dialect]} AS p FROM t"


def test_bigquery_interpolates_in_the_sorted_values() -> None:
    found = re.sub(r"\s+", "", translated(QUERIES["percentile"], "bigquery"))
    array = "ARRAY_AGG(hIGNORENULLSORDERBYh)"
    assert found.count(array) == 3
    assert f"{array}[SAFE_OFFSET(CAST(FLOOR(0.9*(COUNT(h)-1))ASINT64))]" in found


def test_columns_of_a_join_have_their_names_in_clickhouse() -> None:
    query = "SELECT t.a, u.b, t.c AS d FROM t JOIN u ON t.a = u.a"
    found = re.sub(r"\s+", " ", translated(query, "clickhouse"))
    assert found.startswith("SELECT t.a AS a, u.b AS b, t.c AS d FROM t")
    assert found.endswith(SETTINGS)


@pytest.mark.parametrize("dialect", sorted({*DIALECTS} - {"duckdb", "postgres"}))
def test_every_query_parses_and_has_nothing_that_the_database_lacks(dialect: str) -> None:
    upper = dialect == "snowflake"
    schemas = Schemas("SIGNALWIRE", "SIGNALWIRE_REPORTS") if upper else Schemas("s", "s_reports")
    reports = {name: report.query for name, report in load_reports([1, 24], 24).items()}
    for name, query in {**reports, **PAGE, "orders": ORDERS}.items():
        text = in_full(query, schemas, dialect)
        assert sqlglot.parse_one(text, read=dialect), name
        assert not re.search(ABSENT[dialect], text), name
        assert not re.search(r"(FROM|JOIN)\s+(data_as_of|campaigns|promises)\b", text), name


def test_a_setting_that_a_shared_query_does_not_know_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.sql"
    path.write_text("-- One row.\n--\n-- a: A.\n@measures\nordr = created_day\n")
    with pytest.raises(TypeError, match="@measures knows no ordr"):
        _read(path)
