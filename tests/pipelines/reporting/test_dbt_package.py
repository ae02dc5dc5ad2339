"""The files of the dbt package, and their folder; `tests/warehouses` builds it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from support import Workspace

from pipelines.reporting.catalog import REPORT_NAMES, load_reports
from sources.signalwire.records.schema import TABLES

QUOTE = "'"


def written(workspace: Workspace, *options: str) -> Path:
    done = workspace.command("reports", "dbt", "package", *options)
    assert done.returncode == 0, done.stderr
    return workspace.folder / "package"


def test_every_table_and_report_is_described(workspace: Workspace) -> None:
    package = written(workspace, "--dataset", "prod")
    assert {path.stem for path in package.glob("models/*.sql")} == REPORT_NAMES
    reports = load_reports([1], 1)
    models = yaml.safe_load((package / "models" / "reports.yml").read_text())["models"]
    for model in models:
        report = reports[model["name"]]
        assert model["description"] == report.grain
        assert {c["name"]: c["description"] for c in model["columns"]} == report.columns
    (source,) = yaml.safe_load((package / "models" / "sources.yml").read_text())["sources"]
    assert source["schema"] == "{{ var('signalwire_schema', 'prod') }}"
    for found in source["tables"]:
        table = TABLES[found["name"]]
        columns = {c.name: c.description for c in table.columns()}
        assert {c["name"]: c["description"] for c in found["columns"]} == columns


def test_models_name_sources_and_each_other(workspace: Workspace) -> None:
    package = written(workspace)
    text = (package / "models" / "order_processing.sql").read_text()
    assert "FROM {{ source('signalwire_orders', 'orders') }} AS orders" in text
    assert "{{ ref('promises') }}" in text
    assert "{{ ref('order_processing') }}" in (package / "models" / "backlog.sql").read_text()


def test_a_name_of_a_promise_is_no_template(workspace: Workspace) -> None:
    (workspace.folder / ".dlt").mkdir()
    setting = "[[reports.sla]]\nhours = 4\nname = \"{{ 1/0 }} of 'FROM orders'\"\n"
    (workspace.folder / ".dlt" / "config.toml").write_text(setting)
    text = (written(workspace) / "models" / "promises.sql").read_text()
    brace = "{{ '{' }}"
    assert f"'{brace}{brace} 1/0 }}}} of {2 * QUOTE}FROM orders{3 * QUOTE}" in text


def test_it_is_written_for_a_database(workspace: Workspace) -> None:
    package = written(workspace, "--dialect", "databricks")
    text = (package / "models" / "processing_time_summary.sql").read_text()
    assert "PERCENTILE(processing_hours, 0.5)" in text


def test_another_one_replaces_it_and_leaves_what_others_added(workspace: Workspace) -> None:
    package = written(workspace)
    mark = (package / "models" / "backlog.sql").read_text().partition("\n")[0]
    (package / "models" / "of_an_earlier_version.sql").write_text(f"{mark}\nSELECT 1\n")
    (package / "models" / "mine.sql").write_text("SELECT 2\n")
    (package / "models" / "backlog.sql").write_text("SELECT 3\n")
    written(workspace)
    assert not (package / "models" / "of_an_earlier_version.sql").exists()
    assert (package / "models" / "mine.sql").read_text() == "SELECT 2\n"
    assert mark in (package / "models" / "backlog.sql").read_text()


@pytest.mark.parametrize("place", ["theirs", "file", "no/such/folder", "."])
def test_nothing_else_is_written_to(workspace: Workspace, place: str) -> None:
    (workspace.folder / "theirs").mkdir()
    (workspace.folder / "theirs" / "dbt_project.yml").write_text("name: theirs\n")
    (workspace.folder / "file").write_text("mine")
    done = workspace.command("reports", "dbt", place)
    assert done.returncode == 2
    assert "reports dbt" in done.stderr
    assert "Traceback" not in done.stderr
    assert [p.name for p in (workspace.folder / "theirs").iterdir()] == ["dbt_project.yml"]
    assert not (workspace.folder / "models").exists()


def test_a_folder_has_to_be_named(workspace: Workspace) -> None:
    done = workspace.command("reports", "dbt")
    assert done.returncode == 2
    assert "name a folder" in done.stderr
