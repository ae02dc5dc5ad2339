"""A run that failed has a row in `runs`, once, written by the next one that loads."""

from __future__ import annotations

import json
import signal
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from support import Workspace, true_orders
from support.at_call import at_call, kill, terminate
from support.processes import started, wait_for_requests

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.errors import Busy
from pipelines.errors.explain import INTERRUPTED, causes_of
from pipelines.loading.failed_runs import KILLED, MOST
from pipelines.reporting.health import probe_destination
from pipelines.reporting.limits import Limits
from sources.signalwire import RunStats
from sources.signalwire.errors import AccessDenied
from sources.simulator import Fault, SimulatedSpace

READ = "dlt.pipeline.pipeline:Pipeline.normalize"
LOADED = "pipelines.loading.failed_runs:RunNotes.rows_are_loaded"
COUNTS = RunStats().counts().keys()


def notes(workspace: Workspace) -> list[Path]:
    """The files of runs that failed, or that are under way."""
    return sorted((workspace.folder / "data").rglob("*.run.*"))


def rows(workspace: Workspace) -> dict[str, dict[str, Any]]:
    """The table `runs` by run, each of them there once."""
    table = workspace.table("runs")
    found = {row["run_id"]: row for row in table}
    assert len(found) == len(table)
    return found


def refused(space: SimulatedSpace, workspace: Workspace, **settings: Any) -> str:
    """A run that the API refuses; its id."""
    space.faults.add(Fault("brands", "respond", status=401, times=1))
    stats = RunStats()
    with pytest.raises(Exception, match="answered 401"):
        workspace.run(space, stats=stats, **settings)
    return stats.run_id


def killed(space: SimulatedSpace, workspace: Workspace, place: str, number: int = 1) -> None:
    done = workspace.command("run", "--quiet", space=space, at=(place, number, kill))
    assert done.returncode == -signal.SIGKILL, done.stderr


def only_failed(workspace: Workspace) -> dict[str, Any]:
    """The row of the only run that failed."""
    (row,) = (row for row in rows(workspace).values() if row["error"])
    return row


class TestItsRow:
    """What it says, and what the next run makes of it."""

    def test_is_written_by_the_next_run(self, space: SimulatedSpace, everywhere: Workspace) -> None:
        run_id = refused(space, everywhere, campaign_ids=["c-1"])
        assert len(notes(everywhere)) == 1
        good = everywhere.run(space).stats.run_id
        assert notes(everywhere) == []
        found = rows(everywhere)
        row = found.pop(run_id)
        assert row["error"].startswith(f"GET {space.url}")
        assert "check sources.signalwire.project_id" in row["error"]
        assert row["started_at"] < row["failed_at"] < found[good]["started_at"]
        assert not row["complete"]
        assert json.dumps(json.loads(row["narrowed_to"])) == '{"campaigns": ["c-1"]}'
        assert (row["mode"], row["version"]) == ("backfill", found[good]["version"])
        empty = {"finished_at", "read_at", "seconds", "shard", "shards", *COUNTS}
        assert {name for name, value in row.items() if value is None} == empty
        assert found[good]["complete"]
        assert found[good]["error"] is found[good]["failed_at"] is None

    @pytest.mark.proof
    def test_is_there_once_after_many_runs(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        failed = {refused(space, any_workspace) for _ in range(3)}
        any_workspace.run(space)
        failed.add(refused(space, any_workspace))
        for _ in range(2):
            any_workspace.run(space)
        # about to be written, then written, each time by a run that was killed
        failed.add(refused(space, any_workspace))
        killed(space, any_workspace, "sources.signalwire.http.client:Client.get", 5)
        killed(space, any_workspace, LOADED)
        assert len(notes(any_workspace)) == 3
        before = rows(any_workspace)
        any_workspace.run(space)
        found = rows(any_workspace)
        assert notes(any_workspace) == []
        assert len(found) == len(before) + 1 == len(failed) + 6
        assert {run_id for run_id in failed if found[run_id]["failed_at"]} == failed
        assert [row["error"] for row in found.values()].count(KILLED) == 2
        for run_id in failed:
            assert found[run_id] == before[run_id]

    @pytest.mark.parametrize("alone", [False, True], ids=["", "of its shard"])
    def test_is_no_concern_of_the_reports(
        self, space: SimulatedSpace, any_workspace: Workspace, alone: bool
    ) -> None:
        """It never loaded: what was read before is as complete, and as old, as it was."""
        refused(space, any_workspace)
        good = any_workspace.run(space)
        assert good.stats.complete
        if alone:
            part = "shards = 2, shard = CASE WHEN error IS NULL THEN 2 ELSE 1 END"
            any_workspace.execute(f"UPDATE signalwire.runs SET {part}")
        reports = "signalwire_reports"
        (newest,) = any_workspace.rows(f"SELECT * FROM {reports}.newest_runs")
        assert newest["run_id"] == good.stats.run_id
        (as_of,) = any_workspace.rows(f"SELECT * FROM {reports}.data_as_of")
        assert as_of["last_run_complete"]
        assert as_of["as_of"] == as_of["last_run_at"] == newest["read_at"]
        found = {
            probed.what: probed for probed in probe_destination(find_target(), [Limits(max_age=60)])
        }
        assert found["freshness"].ok != alone

    @pytest.mark.proof
    def test_waits_for_its_own_shard(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        run_id = refused(space, postgres_workspace, shard="1/2")
        postgres_workspace.run(space, shard="2/2")
        assert run_id not in rows(postgres_workspace)
        postgres_workspace.run(space, shard="1/2")
        row = rows(postgres_workspace)[run_id]
        assert (row["shard"], row["shards"]) == (1, 2)
        assert notes(postgres_workspace) == []


class TestWhy:
    """All ways to fail."""

    def test_another_run_holds_the_lock(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        with exclusive(find_target(), 0), pytest.raises(Busy):
            any_workspace.run(space)
        any_workspace.run(space)
        assert "another run is loading" in only_failed(any_workspace)["error"]

    @pytest.mark.proof
    def test_while_another_run_loads(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        """The other does not take it away unwritten."""
        codes: list[int] = []

        def busy() -> None:
            codes.append(any_workspace.command("run", "--quiet", space=space).returncode)

        with at_call("pipelines.loading.load:normalize_and_load", 1, busy):
            any_workspace.run(space)
        assert codes == [4]
        assert len(rows(any_workspace)) == len(notes(any_workspace)) == 1
        any_workspace.run(space)
        assert "another run is loading" in only_failed(any_workspace)["error"]

    def test_the_destination_is_unreachable(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        if any_workspace.postgres_url:
            allow_connections(any_workspace, "false")
            done = any_workspace.command("run", space=space)
            allow_connections(any_workspace, "true")
        else:
            with any_workspace.kept_open():  # DuckDB's own lock keeps other processes out
                done = any_workspace.command("run", space=space)
        assert done.returncode == 1
        any_workspace.run(space)
        assert only_failed(any_workspace)["error"] in done.stderr

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    @pytest.mark.proof
    def test_a_signal(
        self, space: SimulatedSpace, workspace: Workspace, number: signal.Signals
    ) -> None:
        space.faults.add(Fault("/orders", "delay", seconds=20, times=1))
        with started(workspace, space) as run:
            wait_for_requests(space, 4)
            run.send_signal(number)
            run.communicate(timeout=30)
        assert run.returncode == 128 + number
        workspace.run(space)
        row = only_failed(workspace)
        assert row["error"] == INTERRUPTED
        assert row["failed_at"] > row["started_at"]

    @pytest.mark.proof
    def test_a_signal_before_it_reads(self, space: SimulatedSpace, workspace: Workspace) -> None:
        at = ("pipelines.loading.recovery:recover", 1, terminate)
        assert workspace.command("run", space=space, at=at).returncode == 128 + signal.SIGTERM
        workspace.run(space)
        assert only_failed(workspace)["error"] == INTERRUPTED

    @pytest.mark.parametrize(
        ("place", "number"),
        [("sources.signalwire.http.client:Client.get", 5), ("dlt.load.load:Load.complete_jobs", 1)],
        ids=["reading", "loading"],
    )
    def test_a_kill(
        self, space: SimulatedSpace, any_workspace: Workspace, place: str, number: int
    ) -> None:
        killed(space, any_workspace, place, number)
        any_workspace.run(space)
        row = only_failed(any_workspace)
        assert row["error"] == KILLED
        assert row["failed_at"] is None
        # what it had read before it began to load was loaded after all
        assert row["complete"] == (number == 1)
        assert any_workspace.orders() == true_orders(space)


class TestLoadedAfterAll:
    """What the run had read was pending, and its own row with it."""

    @pytest.mark.parametrize("narrowed", [False, True], ids=["all", "narrowed"])
    @pytest.mark.proof
    def test_its_row_keeps_its_values(
        self, space: SimulatedSpace, everywhere: Workspace, narrowed: bool
    ) -> None:
        _, campaign_id, _ = next(iter(space.world.truth_orders()))
        stats = RunStats()
        with at_call(READ, 1, fail), pytest.raises(RuntimeError):
            everywhere.run(space, stats=stats, campaign_ids=[campaign_id] if narrowed else None)
        for _ in range(2):
            everywhere.run(space)
            row = only_failed(everywhere)
            assert row["error"] == "RuntimeError: out of patience"
            assert row["started_at"] < row["finished_at"] < row["failed_at"]
            assert row["complete"]
            assert row["read_at"]
            assert {name: row[name] for name in COUNTS} == stats.counts()
            limits = json.dumps(row["narrowed_to"]) if row["narrowed_to"] else ""
            assert (campaign_id in limits) == narrowed
        assert notes(everywhere) == []

    @pytest.mark.proof
    def test_not_if_it_had_to_be_dropped(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        killed(space, any_workspace, "dlt.pipeline.pipeline:Pipeline.load")
        for package in (any_workspace.folder / "data").rglob("new_jobs/*.parquet"):
            package.write_bytes(package.read_bytes()[:400])
        any_workspace.run(space)
        row = only_failed(any_workspace)
        assert (row["error"], row["complete"], row["orders_seen"]) == (KILLED, False, None)
        assert any_workspace.orders() == true_orders(space)


class TestTheFile:
    """What a run notes beside dlt's working folder."""

    @pytest.mark.proof
    def test_is_there_while_a_run_holds_the_lock(
        self, space: SimulatedSpace, workspace: Workspace, caplog: pytest.LogCaptureFixture
    ) -> None:
        counts: list[int] = []
        with caplog.at_level("INFO"):
            for _ in range(2):
                with at_call(READ, 1, lambda: counts.append(len(notes(workspace)))):
                    workspace.run(space)
        assert counts == [1, 1]
        assert notes(workspace) == []
        assert "that failed" not in caplog.text

    def test_holds_no_secret(self, space: SimulatedSpace, workspace: Workspace) -> None:
        echo = {"error": f"{space.api_token} is no token"}
        space.faults.add(Fault("brands", "respond", status=401, body=echo, times=1))
        workspace.command("run", space=space)
        unreachable = "postgresql://user:PTverysecret@127.0.0.1:9/db"
        workspace.command(
            "run", "--destination", "postgres", space=space,
            DESTINATION__POSTGRES__CREDENTIALS=unreachable,
        )  # fmt: skip
        texts = [path.read_text() for path in notes(workspace)]
        assert [text.count("***") for text in sorted(texts)] == [1, 0]
        assert not any(s in text for text in texts for s in (space.api_token, "PTverysecret"))

    @pytest.mark.parametrize("good", [False, True], ids=["failing", "good"])
    def test_that_cannot_be_written_is_a_warning(
        self,
        space: SimulatedSpace,
        workspace: Workspace,
        caplog: pytest.LogCaptureFixture,
        good: bool,
    ) -> None:
        stats = RunStats()
        target = find_target()
        path = target.pipelines_dir / f"{target.pipeline_name}.{stats.run_id}.run.json"
        (path / "in the way").mkdir(parents=True)
        if good:
            workspace.run(space, stats=stats)
        else:
            space.faults.add(Fault("brands", "respond", status=401))
            with pytest.raises(Exception, match="answered 401") as raised:
                workspace.run(space, stats=stats)
            assert any(isinstance(cause, AccessDenied) for cause in causes_of(raised.value))
        assert "this run will be missing in the table runs if it fails" in caplog.text
        assert notes(workspace) == [path]

    def test_in_a_folder_that_cannot_be_made_is_a_warning(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        (workspace.folder / "data").write_text("a file")
        done = workspace.command("run", space=space)
        assert done.returncode == 2
        assert "dlt's data folder cannot be written to" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"started_at": 1}', b"\xff\0"])
    def test_that_is_damaged_is_of_a_run_that_was_killed(
        self, space: SimulatedSpace, workspace: Workspace, content: bytes
    ) -> None:
        run_id = refused(space, workspace)
        (path,) = notes(workspace)
        path.write_bytes(content)
        workspace.run(space)
        row = rows(workspace)[run_id]
        assert (row["error"], row["complete"], row["started_at"]) == (KILLED, False, None)
        assert notes(workspace) == []

    @pytest.mark.proof
    def test_that_changes_while_its_row_is_loaded_is_not_lost(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        """As of a run that lost its lock, and finds out when another has begun."""
        run_id = refused(space, any_workspace)
        (path,) = notes(any_workspace)
        text = path.read_text()
        path.write_text(json.dumps({"started_at": json.loads(text)["started_at"]}))

        def write_error() -> None:
            path.write_text(text)

        with at_call(READ, 1, write_error):
            any_workspace.run(space)
        assert rows(any_workspace)[run_id]["error"] == KILLED
        any_workspace.run(space)
        assert "answered 401" in rows(any_workspace)[run_id]["error"]
        assert notes(any_workspace) == []

    @pytest.mark.proof
    def test_is_one_of_the_newest(self, space: SimulatedSpace, workspace: Workspace) -> None:
        oldest = refused(space, workspace)
        (path,) = notes(workspace)
        for number in range(MOST - 1):
            path.with_name(f"signalwire_orders.{number}.run.json").write_text(path.read_text())
        newest = refused(space, workspace)
        assert len(notes(workspace)) == MOST
        workspace.run(space)
        found = rows(workspace)
        assert len(found) == MOST + 1
        assert newest in found
        assert oldest not in found


def fail() -> None:
    raise RuntimeError("out of\0 patience")


def allow_connections(workspace: Workspace, whether: str) -> None:
    """Has the server take connections to the workspace's database, or none."""
    server, _, database = str(workspace.postgres_url).rpartition("/")
    with closing(psycopg2.connect(f"{server}/postgres")) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS {whether}")
