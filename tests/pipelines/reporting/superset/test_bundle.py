"""The bundle for Superset: that it agrees with the reports, and never carries a password.

That Superset takes it, and what its charts show, is in `tests/bi`.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import Workspace

from pipelines.reporting.catalog import load_reports
from pipelines.reporting.superset.charts import charts, target_metrics
from sources.simulator import SimulatedSpace

COPY = "duckdb:////data/bi.duckdb"


def read(path: Path) -> dict[str, Any]:
    """The bundle's files by their name in it."""
    with zipfile.ZipFile(path) as archive:
        return {
            name.partition("/")[2]: yaml.safe_load(archive.read(name))
            for name in archive.namelist()
        }


def of_kind(files: dict[str, Any], kind: str) -> list[Any]:
    return [content for name, content in files.items() if name.startswith(f"{kind}/")]


@pytest.fixture
def files(workspace: Workspace) -> dict[str, Any]:
    done = workspace.command("bi", "superset", "out.zip", "--database-uri", COPY)
    assert done.returncode == 0, done.stderr
    return read(workspace.folder / "out.zip")


def test_datasets_are_the_reports(files: dict[str, Any]) -> None:
    reports = load_reports([1], 1)
    for dataset in of_kind(files, "datasets"):
        report = reports[dataset["table_name"]]
        columns = {c["column_name"]: c for c in dataset["columns"] if not c["expression"]}
        assert columns.keys() == report.columns.keys()
        assert dataset["description"] == report.grain
        assert dataset["schema"] == "signalwire_reports"
        for name, column in columns.items():
            assert column["description"] == report.columns[name]
            assert column["type"], name
    assert {d["table_name"] for d in of_kind(files, "datasets")} == {
        "order_processing",
        "stuck_orders",
        "processing_time_curve",
        "backlog_by_day",
        "data_as_of",
        "sla_attainment",
        "slower_than_before",
        "numbers_by_campaign",
    }


def test_charts_use_what_their_datasets_have(files: dict[str, Any]) -> None:
    datasets = {dataset["uuid"]: dataset for dataset in of_kind(files, "datasets")}
    for chart in of_kind(files, "charts"):
        dataset = datasets[chart["dataset_uuid"]]
        columns = {column["column_name"] for column in dataset["columns"]}
        metrics = {metric["metric_name"] for metric in dataset["metrics"]}
        (query,) = json.loads(chart["query_context"])["queries"]
        for column in query["columns"]:
            name = column["sqlExpression"] if isinstance(column, dict) else column
            assert name in columns, chart["slice_name"]
        named = [metric for metric in query.get("metrics", ()) if isinstance(metric, str)]
        assert set(named) <= metrics, chart["slice_name"]
        assert {f["col"] for f in query["filters"]} <= columns


def test_filters_reach_the_orders_and_not_what_is_open_now(files: dict[str, Any]) -> None:
    (dashboard,) = of_kind(files, "dashboards")
    position = dashboard["position"]
    filters = {f["name"]: f for f in dashboard["metadata"]["native_filter_configuration"]}
    assert [*filters] == ["Created", "Use case", "Brand", "Campaign", "Time grain"]
    names = {
        part["meta"]["chartId"]: part["meta"]["sliceName"]
        for part in position.values()
        if isinstance(part, dict) and part["type"] == "CHART"
    }
    excluded = {names[number] for number in filters["Created"]["scope"]["excluded"]}
    assert excluded == {"Open now", "Stuck now", "Open now, by age", "Stuck orders"}
    for found in filters.values():
        (tab,) = found["scope"]["rootPath"]
        assert position[tab]["meta"]["text"] == "Orders"
    assert {chart.title for chart in charts([1])} == set(names.values())


def test_there_is_a_metric_for_each_target(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = workspace.command(
        "bi", "superset", "out.zip", "--database-uri", COPY,
        REPORTS__SLA_HOURS="[0.5, 24, 72]",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    files = read(workspace.folder / "out.zip")
    metrics = files["datasets/signalwire_orders/order_processing.yaml"]["metrics"]
    found = [m["metric_name"] for m in metrics if m["metric_name"] in target_metrics([0.5, 24, 72])]
    assert found == ["share_within_0.5h", "share_within_24h", "share_within_72h"]


@pytest.mark.parametrize(
    ("given", "written"),
    [
        (COPY, f"{COPY}?access_mode=read_only"),
        ("duckdb:///bi.duckdb", "duckdb:///bi.duckdb?access_mode=read_only"),
        ("duckdb:////a b/#1.duckdb?x=y", "duckdb:////a b/#1.duckdb?access_mode=read_only"),
        ("postgresql://u@db/orders", "postgresql+psycopg2://u@db/orders"),
        (
            "postgres://u:se%40cret@db:5433/orders?sslmode=require&password=se%40cret",
            "postgresql+psycopg2://u:XXXXXXXXXX@db:5433/orders?sslmode=require",
        ),
        (
            "postgresql+psycopg2://u:se@cret@[::1]/o?sslpassword=secret",
            "postgresql+psycopg2://u:XXXXXXXXXX@[::1]/o",
        ),
    ],
)
def test_addresses_lead_there_without_a_password(
    workspace: Workspace, given: str, written: str
) -> None:
    done = workspace.command("bi", "superset", "out.zip", "--database-uri", given)
    assert done.returncode == 0, done.stderr
    (database,) = of_kind(read(workspace.folder / "out.zip"), "databases")
    assert database["sqlalchemy_uri"] == written
    with zipfile.ZipFile(workspace.folder / "out.zip") as archive:
        texts = [archive.read(name).decode() for name in archive.namelist()]
    for text in (*texts, done.stdout, done.stderr):
        assert "cret" not in text.replace("secrets", "")
    assert ("asks for the password" in done.stdout) == ("XXX" in written)


@pytest.mark.parametrize(
    "given",
    [
        "mysql://u:secret@db/orders", "secret", "postgresql://u:secret@db:x/orders",
        "duckdb://secret/bi.duckdb", "duckdb:///", "https://secret",
    ],
)  # fmt: skip
def test_other_addresses_are_refused(workspace: Workspace, given: str) -> None:
    done = workspace.command("bi", "superset", "out.zip", "--database-uri", given)
    assert done.returncode == 2
    assert "--database-uri" in done.stderr
    assert "duckdb:////data/bi.duckdb" in done.stderr
    assert "secret" not in done.stderr
    assert not (workspace.folder / "out.zip").exists()


def test_the_database_itself_is_no_place_for_programs_that_keep_it_open(
    workspace: Workspace,
) -> None:
    done = workspace.command("bi", "superset", "out.zip")
    assert done.returncode == 2
    assert "signalwire-orders run --publish" in done.stderr
    published = workspace.command("bi", "superset", "out.zip", REPORTS__PUBLISH="bi.duckdb")
    assert published.returncode == 0, published.stderr
    (database,) = of_kind(read(workspace.folder / "out.zip"), "databases")
    copy = workspace.folder / "bi.duckdb"
    assert database["sqlalchemy_uri"] == f"duckdb:///{copy}?access_mode=read_only"


def test_on_postgres_it_reads_the_database(postgres_workspace: Workspace) -> None:
    done = postgres_workspace.command("bi", "superset", "out.zip")
    assert done.returncode == 0, done.stderr
    (database,) = of_kind(read(postgres_workspace.folder / "out.zip"), "databases")
    address = str(postgres_workspace.postgres_url).partition("@")[2]
    uri = database["sqlalchemy_uri"]
    assert uri.partition("?")[0] == f"postgresql+psycopg2://postgres:XXXXXXXXXX@{address}"


@pytest.mark.proof
def test_one_bundle_of_a_dataset_replaces_the_one_before(workspace: Workspace) -> None:
    """Ids stay while the address and the dataset do, and differ between two."""

    def written(*arguments: str) -> tuple[bytes, set[str]]:
        done = workspace.command("bi", "superset", "out.zip", *arguments)
        assert done.returncode == 0, done.stderr
        path = workspace.folder / "out.zip"
        files = read(path)
        kinds = ("datasets", "charts", "dashboards")
        return path.read_bytes(), {part["uuid"] for kind in kinds for part in of_kind(files, kind)}

    first, ids = written("--database-uri", COPY)
    assert written("--database-uri", COPY) == (first, ids)
    other_dataset = written("--database-uri", COPY, "--dataset", "other")[1]
    other_file = written("--database-uri", "duckdb:////data/b2.duckdb")[1]
    assert not ids & other_dataset
    assert not ids & other_file
    assert len(ids) == len(other_file)


def test_only_a_bundle_is_replaced(workspace: Workspace, space: SimulatedSpace) -> None:
    theirs = workspace.folder / "out.zip"
    with zipfile.ZipFile(theirs, "w") as archive:
        archive.writestr("precious.txt", "theirs")
    before = theirs.read_bytes()
    done = workspace.command("bi", "superset", "out.zip", "--database-uri", COPY)
    assert done.returncode == 2
    assert "out.zip is there already" in done.stderr
    assert theirs.read_bytes() == before
    database = workspace.command("bi", "superset", str(workspace.database), "--database-uri", COPY)
    assert database.returncode == 2
    assert not workspace.database.exists()
