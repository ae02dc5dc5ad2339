"""The printed SQL, run by the engines that can be had: every number of every report."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from comparison import assert_same
from conftest import Truth, run
from support import Workspace

HERE = Path(__file__).parent
ENGINES = {"clickhouse": "clickhouse", "databricks": "spark", "snowflake": "snowflake"}


@pytest.mark.parametrize("dialect", ENGINES)
def test_every_number_is_that_of_duckdb(
    loaded: Workspace, truth: Truth, tmp_path: Path, dialect: str
) -> None:
    done = loaded.command("reports", "sql", "--dialect", dialect)
    assert done.returncode == 0, done.stderr
    (tmp_path / "reports.sql").write_text(done.stdout)
    (tmp_path / "rows").mkdir()
    engine = HERE / f"engine_{ENGINES[dialect]}.py"
    run(
        "python", engine, tmp_path / "reports.sql", truth.tables.resolve(), tmp_path / "rows",
        folder=tmp_path,
    )  # fmt: skip
    reports = truth.reports()
    assert {path.stem for path in (tmp_path / "rows").glob("*.parquet")} == {*reports}
    for report in reports:
        columns = truth.columns(report)
        found = pq.read_table(tmp_path / "rows" / f"{report}.parquet", columns=[*columns])
        rows = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
        assert_same(report, columns, rows, truth.rows(report))
