"""When things break: signals, a full disk, a database that goes away."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support import Workspace, true_orders
from support.at_call import at_call
from support.postgres_server import running_server
from support.processes import started, wait_for_requests

from pipelines.destinations import duckdb, duckdb_merge
from pipelines.errors import LockLost
from pipelines.errors.explain import causes_of
from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]


class TestSignals:
    """SIGINT and SIGTERM."""

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_while_reading(
        self, open_space: OpenSpace, workspace: Workspace, number: signal.Signals
    ) -> None:
        space = open_space(latency_ms=300)
        with started(workspace, space, "--workers", "1") as run:
            wait_for_requests(space, 3)
            run.send_signal(number)
            _, err = run.communicate(timeout=30)
        assert run.returncode == 128 + number
        assert err.count("interrupted") == 1
        assert "Traceback" not in err
        space.set_latency(0)
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.orders() == true_orders(space)

    @pytest.mark.proof
    def test_while_a_request_hangs(self, space: SimulatedSpace, workspace: Workspace) -> None:
        space.faults.add(Fault("/orders", "delay", seconds=60, times=1))
        with started(workspace, space, "--workers", "1") as run:
            wait_for_requests(space, 3)
            run.send_signal(signal.SIGTERM)
            run.communicate(timeout=30)
        assert run.returncode == 128 + signal.SIGTERM

    @pytest.mark.proof
    @pytest.mark.parametrize("quietly", [[], ["--quiet"]], ids=["", "quiet"])
    def test_are_told_in_one_json_line(
        self, open_space: OpenSpace, workspace: Workspace, quietly: list[str]
    ) -> None:
        space = open_space(latency_ms=300)
        options = ("--workers", "1", "--log-format", "json", *quietly)
        with started(workspace, space, *options) as run:
            wait_for_requests(space, 3)
            run.send_signal(signal.SIGTERM)
            _, err = run.communicate(timeout=30)
        lines = [json.loads(line) for line in err.splitlines()]
        told = [line["message"] for line in lines if line["level"] == "ERROR"]
        assert told == ["interrupted; nothing is lost, the next run loads the rest"]

    @pytest.mark.proof
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_while_loading(
        self, space: SimulatedSpace, workspace: Workspace, number: signal.Signals
    ) -> None:
        code = (
            "import os, sys, dlt.load.load as m\n"
            "real = m.Load.load_single_package\n"
            "def load(self, *args):\n"
            f"    os.kill(os.getpid(), {int(number)})\n"
            "    return real(self, *args)\n"
            "m.Load.load_single_package = load\n"
            "from pipelines.cli.main import main; sys.exit(main(['run', '--quiet']))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=workspace.folder,
            env=os.environ | workspace.credentials(space),
            capture_output=True,
            text=True,
            check=False,
        )
        # either what was begun could be finished, or it is left to the next run; told truly
        assert done.returncode in (0, 128 + number)
        if done.returncode == 0:
            assert workspace.orders() == true_orders(space)
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.orders() == true_orders(space)


class TestDestination:
    """A destination that fails."""

    @pytest.mark.proof
    def test_a_full_disk(self, open_space: OpenSpace, workspace: Workspace) -> None:
        space = open_space(brands=2, campaigns=5, orders=500)
        small = 600_000  # bytes a file may have, less than the database needs

        def no_room() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (small, small))

        with started(workspace, space, preexec_fn=no_room) as run:
            _, err = run.communicate(timeout=60)
        assert run.returncode == 1
        assert "disk" in err
        assert "Traceback" not in err
        done = workspace.command("run", space=space)
        assert done.returncode == 0, done.stderr
        assert workspace.orders() == true_orders(space)

    def test_a_folder_that_does_not_exist(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        missing = workspace.folder / "no" / "such" / "folder" / "x.duckdb"
        done = workspace.command("run", space=space, DESTINATION__DUCKDB__CREDENTIALS=str(missing))
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert str(missing.parent) in done.stderr

    @pytest.mark.proof
    def test_a_read_only_database(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        before = workspace.orders()
        space.clock.advance(5 * 24 * 3600)
        done = workspace.command(
            "run", space=space, DESTINATION__DUCKDB__CREDENTIALS__READ_ONLY="true"
        )
        assert done.returncode == 1
        assert "cannot be written to" in done.stderr
        assert workspace.orders() == before
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.orders() == true_orders(space)

    def test_a_server_that_is_not_running(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        unreachable = "postgresql://user:PTverysecret@127.0.0.1:9/db"
        done = workspace.command(
            "run", "--destination", "postgres", space=space,
            DESTINATION__POSTGRES__CREDENTIALS=unreachable,
        )  # fmt: skip
        assert done.returncode == 1
        assert "127.0.0.1" in done.stderr
        assert "Traceback" not in done.stderr
        assert "PTverysecret" not in done.stderr
        assert space.journal.requests == 0

    @pytest.mark.proof
    def test_a_lock_that_is_lost_while_loading(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        """Another run could have begun, and shared the staging tables: the load must not count."""
        workspace = postgres_workspace
        workspace.run(space)
        loads = "SELECT count(*) AS n FROM _dlt_loads WHERE status = 0"
        before = workspace.rows(loads)
        ended: list[object] = []

        def end_the_locks_connection() -> None:
            ended.extend(
                workspace.rows(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name LIKE 'signalwire-orders%'"
                )
            )

        space.clock.advance(3600)
        with (
            at_call("dlt.load.load:Load.start_new_jobs", 1, end_the_locks_connection),
            pytest.raises(Exception, match="keeps other runs away") as raised,
        ):
            workspace.run(space)
        assert any(isinstance(cause, LockLost) for cause in causes_of(raised.value))
        assert len(ended) == 1
        assert workspace.rows(loads) == before
        workspace.run(space)
        assert workspace.orders() == true_orders(space)

    @pytest.mark.proof
    def test_a_server_that_goes_away_in_the_middle(
        self,
        open_space: OpenSpace,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        space = open_space(latency_ms=300)
        with running_server() as server:
            workspace = Workspace(tmp_path, server.new_database())
            with started(workspace, space, "--workers", "1") as run:
                wait_for_requests(space, 3)
                server.restart()
                _, err = run.communicate(timeout=60)
            assert run.returncode == 1
            assert "run again" in err
            assert "Traceback" not in err
            space.set_latency(0)
            done = workspace.command("run", space=space)
            assert done.returncode == 0, done.stderr
            assert workspace.orders() == true_orders(space)


@pytest.mark.parametrize("limits", [("4MB", "256MB"), ("3MB", "8MB")], ids=["second", "DuckDB's"])
def test_a_merge_that_needs_more_memory_gets_it(
    limits: tuple[str, str],
    open_space: OpenSpace,
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(duckdb_merge, "LEAST_MEMORY", limits[0])
    monkeypatch.setitem(duckdb.SETTINGS, "memory_limit", limits[-1])
    space = open_space(brands=1, campaigns=2, orders=4_000)
    with caplog.at_level("DEBUG", "pipelines"):
        workspace.run(space)
    assert f"the merge needs more memory than {limits[0]}" in caplog.text
    assert "Out of Memory" not in caplog.text + "".join(capfd.readouterr())
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_a_limit_on_memory_that_the_user_has_set_holds(
    open_space: OpenSpace, workspace: Workspace
) -> None:
    space = open_space(brands=1, campaigns=2, orders=4_000)
    credentials = "DESTINATION__DUCKDB__CREDENTIALS"
    del workspace.environment[credentials]
    workspace.environment |= {
        f"{credentials}__DATABASE": str(workspace.database),
        f"{credentials}__GLOBAL_CONFIG": json.dumps({"memory_limit": "4MB"}),
    }
    with started(workspace, space) as run:
        _, err = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "Out of Memory" in err
    assert "raise memory_limit" in err
