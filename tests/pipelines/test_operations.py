"""What a scheduler and a monitoring system see of a run: JSON lines, and metrics."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support import Workspace

from pipelines.cli.metrics import write_metrics
from pipelines.destinations.resolve import find_target
from sources.simulator import Fault, SimulatedSpace


@pytest.fixture
def metrics(tmp_path: Path) -> Callable[[], dict[str, float]]:
    """The metrics that are there, as Prometheus reads them, without the prefix."""

    def read() -> dict[str, float]:
        families = text_string_to_metric_families((tmp_path / "orders.prom").read_text())
        found = {}
        for family in families:
            assert family.documentation
            for sample in family.samples:
                found[sample.name.removeprefix("signalwire_orders_")] = sample.value
        return found

    return read


class TestMetrics:
    def test_tell_what_a_run_did_and_what_is_there(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        metrics: Callable[[], dict[str, float]],
    ) -> None:
        any_workspace.command("run", "--metrics-file", "orders.prom", space=space)
        told = metrics()
        assert told["run_exit_code"] == 0
        assert told["run_orders_loaded"] == told["orders"] == 48
        assert told["run_lists_failed"] == 0
        assert told["run_duration_seconds"] > 0
        assert told["success_timestamp_seconds"] == pytest.approx(
            told["run_timestamp_seconds"], abs=5
        )
        rows = any_workspace.rows("SELECT read_at FROM runs")
        assert told["data_timestamp_seconds"] == rows[0]["read_at"].timestamp()
        stuck = any_workspace.rows("SELECT count(*) AS n FROM signalwire_reports.stuck_orders")
        still_open = any_workspace.rows(
            "SELECT count(*) AS n FROM orders WHERE state NOT IN ('processed', 'failed')"
        )
        assert told["orders_stuck"] == stuck[0]["n"]
        assert told["orders_open"] == still_open[0]["n"]

    def test_tell_a_partial_run(
        self, space: SimulatedSpace, workspace: Workspace, metrics: Callable[[], dict[str, float]]
    ) -> None:
        campaign_id = space.world.truth_orders()[0][1]
        space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=404))
        done = workspace.command("run", "--metrics-file", "orders.prom", space=space)
        assert done.returncode == metrics()["run_exit_code"] == 3
        assert metrics()["run_lists_failed"] == 1
        assert "success_timestamp_seconds" not in metrics()

    def test_keep_the_age_of_the_data_after_a_failure(
        self, space: SimulatedSpace, workspace: Workspace, metrics: Callable[[], dict[str, float]]
    ) -> None:
        workspace.command("run", "--metrics-file", "orders.prom", space=space)
        before = metrics()
        space.faults.add(Fault("brands", "respond", status=401))
        done = workspace.command("run", "--metrics-file", "orders.prom", space=space)
        after = metrics()
        assert done.returncode == after["run_exit_code"] == 1
        lasting = ("data_timestamp_seconds", "success_timestamp_seconds", "orders", "orders_stuck")
        assert {name: after[name] for name in lasting} == {name: before[name] for name in lasting}
        assert "run_orders_loaded" not in after
        assert after["run_timestamp_seconds"] > before["run_timestamp_seconds"]

    def test_can_be_read_by_another_user_and_leave_nothing_else(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        folder = workspace.folder / "collector"
        folder.mkdir()
        workspace.command("run", "--metrics-file", "collector/orders.prom", space=space)
        (written,) = folder.iterdir()
        assert stat.S_IMODE(written.stat().st_mode) == 0o644

    def test_of_a_done_run_do_not_hang_on_who_opens_the_database_next(
        self,
        space: SimulatedSpace,
        workspace: Workspace,
        tmp_path: Path,
        metrics: Callable[[], dict[str, float]],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        result = workspace.run(space)
        path, target = tmp_path / "orders.prom", find_target()
        write_metrics(path, 0, 1.0, result, target)
        before = metrics()
        holder = (
            f"import duckdb, time; held = duckdb.connect({str(workspace.database)!r});"
            " print('held', flush=True); time.sleep(60)"
        )
        with subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE) as other:
            assert other.stdout
            other.stdout.readline()
            write_metrics(path, 0, 2.0, result, target)
            other.kill()
        after = metrics()
        assert after["run_duration_seconds"] == 2
        assert after["data_timestamp_seconds"] == before["data_timestamp_seconds"]
        assert "open in another program" in caplog.text

    def test_want_a_folder_that_is_there(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command("run", "--metrics-file", "nowhere/orders.prom", space=space)
        assert done.returncode == 2
        assert "there is no folder nowhere" in done.stderr
        assert not workspace.database.exists()

    def test_that_cannot_be_written_do_not_pass_for_done(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        done = workspace.command("run", "--metrics-file", "/dev/full", space=space)
        assert done.returncode == 2
        assert "everything is loaded, but --metrics-file" in done.stderr
        assert len(workspace.orders()) == 48


class TestJsonLines:
    def lines(self, text: str) -> list[dict[str, str]]:
        found = [json.loads(line) for line in text.splitlines()]
        assert all(line["time"].endswith("+00:00") for line in found)
        return found

    def test_are_all_that_is_said(self, space: SimulatedSpace, workspace: Workspace) -> None:
        campaign_id = space.world.truth_orders()[0][1]
        space.faults.add(Fault(f"{campaign_id}/orders", "respond", status=404))
        done = workspace.command("run", "--log-format", "json", "--json", space=space)
        lines = self.lines(done.stderr)
        assert {"INFO", "WARNING"} == {line["level"] for line in lines}
        assert any(campaign_id in line["message"] for line in lines)
        assert json.loads(done.stdout)["complete"] is False

    def test_tell_why_a_run_failed_once_and_without_secrets(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        space.faults.add(Fault("brands", "respond", status=401))
        done = workspace.command("run", "--log-format", "json", space=space)
        errors = [line for line in self.lines(done.stderr) if line["level"] == "ERROR"]
        assert len(errors) == 1
        assert "refused" in errors[0]["message"] or "401" in errors[0]["message"]
        assert "Traceback" in errors[0]["exception"]
        assert space.api_token not in done.stderr

    def test_tell_nothing_but_errors_when_quiet(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        done = workspace.command("run", "--log-format", "json", "--quiet", space=space)
        assert done.stderr == done.stdout == ""
