"""How long each report takes over a million orders on DuckDB: `make bench-reports` prints a table.

Seconds are the median of three, all rows of the answer fetched as Arrow; the ratio is to reading
the columns of `orders` that the reports use.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

import duckdb

from pipelines.destinations.naming import schemas_to_show
from pipelines.reporting.catalog import in_full, load_reports
from sources.signalwire.records.schema import TABLES

ORDERS = 1_000_000
# three in a hundred wait, three failed; two changes are known of each
FILL = f"""
INSERT INTO signalwire.brands BY NAME
    SELECT 'b' || i AS id, 'Brand ' || i AS name FROM range(1000) t(i);
INSERT INTO signalwire.campaigns BY NAME
    SELECT 'c' || i AS id, 'b' || i % 1000 AS brand_id, 'Campaign ' || i AS name,
        ['2FA', 'MARKETING', 'MIXED'][1 + i % 3] AS sms_use_case
    FROM range(4000) t(i);
INSERT INTO signalwire.orders BY NAME
    SELECT uuid()::VARCHAR AS id, 'c' || i % 4000 AS campaign_id, 'b' || i % 1000 AS brand_id,
        CASE WHEN i % 33 = 0 THEN 'pending' WHEN i % 33 = 1 THEN 'failed' ELSE 'processed' END
            AS state,
        created_at,
        created_at + took AS updated_at,
        CASE WHEN i % 33 > 1 THEN created_at + took END AS processed_at,
        now() AS read_at
    FROM (
        SELECT i, TIMESTAMPTZ '2026-03-01 00:00:00Z' - to_microseconds((random() * 7.7e12)::BIGINT)
            AS created_at, to_microseconds((-ln(1 - random()) * 3.6e10)::BIGINT) AS took
        FROM range({ORDERS}) t(i)
    );
INSERT INTO signalwire.order_changes BY NAME
    SELECT id || n AS id, id AS order_id, campaign_id,
        CASE n WHEN 0 THEN 'pending' ELSE state END AS state,
        CASE n WHEN 0 THEN created_at ELSE updated_at END AS updated_at, read_at AS seen_at
    FROM signalwire.orders, range(2) t(n);
INSERT INTO signalwire.runs BY NAME
    SELECT 'r' AS run_id, TRUE AS complete, TIMESTAMPTZ '2026-03-01 00:00:00Z' AS read_at;
"""  # noqa: S608 - nothing in it comes from outside
ALL_COLUMNS = "SELECT id, campaign_id, state, created_at, processed_at FROM signalwire.orders"


def seconds(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[float, int]:
    """The median of three runs, and the rows of the answer."""
    times = []
    rows = 0
    for _ in range(3):
        started = time.perf_counter()
        rows = connection.sql(sql).to_arrow_table().num_rows
        times.append(time.perf_counter() - started)
    return statistics.median(times), rows


def fill(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Fills an empty database with a million orders and the views; returns the reports' names."""
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA signalwire; CREATE SCHEMA signalwire_reports")
    for name, table in TABLES.items():
        empty = table.arrow_schema().empty_table()  # noqa: F841 - found by its name
        connection.execute(f"CREATE TABLE signalwire.{name} AS FROM empty")
    connection.execute(FILL)
    reports = load_reports((1, 4, 24, 48), 24)
    for name, report in reports.items():
        query = in_full(report.query, schemas_to_show("signalwire"), "duckdb")
        connection.execute(f"CREATE VIEW signalwire_reports.{name} AS {query}")
    return list(reports)


def main() -> None:
    """Fills a database and prints the table."""
    with tempfile.TemporaryDirectory() as folder:
        connection = duckdb.connect(str(Path(folder) / "orders.duckdb"))
        names = fill(connection)
        base, _ = seconds(connection, ALL_COLUMNS)
        print(f"| report, over {ORDERS:,} orders | rows | seconds | ratio to reading the orders |")
        print("|---|---|---|---|")
        for name in names:
            took, rows = seconds(connection, f"FROM signalwire_reports.{name}")
            print(f"| `{name}` | {rows:,} | {took:.2f} | {took / base:.1f} |")


if __name__ == "__main__":
    main()
