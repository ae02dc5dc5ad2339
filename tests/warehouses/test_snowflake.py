"""What is Snowflake's alone; the conformance suite runs there too: make test-warehouses.

The server runs Snowflake's SQL on DuckDB, so this proves our statements and what they lead to, and
no semantics that Snowflake has of its own.
"""

from __future__ import annotations

import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from support import SnowflakeWorkspace, true_orders
from support.at_call import at_call, kill
from support.snowflake_server import SnowflakeServer, running_snowflake

from pipelines.destinations.resolve import find_target
from pipelines.destinations.row_lock import FREE_AFTER, RowLock
from pipelines.errors import LockLost
from sources.simulator import SimulatedSpace

HOUR = 3600
READING = "sources.signalwire.http.client:Client.get"
TABLE = "signalwire._signalwire_orders_run"
# what a machine leaves that ended without a word, by the time that another may take over
AGES = f"UPDATE {TABLE} SET alive_at = DATEADD(second, -{FREE_AFTER + 1}, CURRENT_TIMESTAMP())"


@pytest.fixture(scope="module")
def server() -> Iterator[SnowflakeServer]:
    with running_snowflake() as server:
        yield server


@pytest.fixture
def workspace(
    server: SnowflakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SnowflakeWorkspace:
    made = SnowflakeWorkspace(tmp_path, *server.new_database())
    made.prepared(monkeypatch)
    return made


def a_lock(folder: Path, every: float = 60) -> RowLock:
    """A lock as a machine with this working folder takes it."""
    return RowLock(find_target().probe.sql_client(), "SIGNALWIRE", folder / "run.lock", every=every)


def test_a_machine_that_is_gone_is_waited_for_and_then_replaced(
    space: SimulatedSpace, workspace: SnowflakeWorkspace
) -> None:
    """Another machine has another working folder, and no file lock in common."""
    workspace.run(space)
    space.clock.advance(HOUR)
    killed = workspace.command("run", space=space, at=(READING, 2, kill))
    assert killed.returncode == -9
    shutil.move(workspace.folder / "data", workspace.folder / "gone")
    held = workspace.command("run", space=space)
    assert held.returncode == 4
    assert "process" in held.stderr
    assert re.search(rf"last heartbeat \d s ago, free after {FREE_AFTER} s", held.stderr)
    workspace.execute(AGES)
    assert workspace.command("run", space=space).returncode == 0
    assert workspace.orders() == true_orders(space)


def test_what_was_killed_here_is_not_waited_for(
    space: SimulatedSpace, workspace: SnowflakeWorkspace
) -> None:
    assert workspace.command("run", space=space, at=(READING, 2, kill)).returncode == -9
    assert [row["owner"] is None for row in workspace.rows(f"SELECT owner FROM {TABLE}")] == [False]
    assert workspace.command("run", space=space).returncode == 0
    assert workspace.orders() == true_orders(space)
    assert [row["owner"] for row in workspace.rows(f"SELECT owner FROM {TABLE}")] == [None]


def test_a_run_that_was_replaced_loads_nothing(
    space: SimulatedSpace, workspace: SnowflakeWorkspace
) -> None:
    """It slept, say, while another one took over."""
    workspace.run(space)
    before = workspace.table("orders")
    space.clock.advance(HOUR)
    other = a_lock(workspace.folder / "other machine")

    def sleep() -> None:
        workspace.execute(AGES)
        assert other.take()

    with (
        at_call("dlt.load.load:Load.run", 1, sleep),
        pytest.raises(PipelineStepFailed, match="another run has taken over"),
    ):
        workspace.run(space)
    assert workspace.table("orders") == before
    other.release()
    workspace.run(space)
    assert workspace.orders() == true_orders(space)


def test_heartbeats_arrive(workspace: SnowflakeWorkspace) -> None:
    lock = a_lock(workspace.folder / "a", every=0.05)
    assert lock.take()
    workspace.execute(AGES)
    age = f"SELECT DATEDIFF(second, alive_at, CURRENT_TIMESTAMP()) AS age FROM {TABLE}"
    for _ in range(100):
        time.sleep(0.1)
        if workspace.rows(age)[0]["age"] < FREE_AFTER:
            break
    else:
        pytest.fail("no heartbeat arrived")
    assert not a_lock(workspace.folder / "b").take()
    lock.release()


def test_of_many_at_once_one_holds_it(workspace: SnowflakeWorkspace) -> None:
    """Also where the table is not there yet, has no row, or two of them."""
    for number, before in enumerate([
        None,
        *[f"DELETE FROM {TABLE}"] * 6,  # of so many, two insert a row at once
        f"INSERT INTO {TABLE} (owner) SELECT NULL",
    ]):  # fmt: skip
        if before:
            workspace.execute(before)
        locks = [a_lock(workspace.folder / f"{number}-{n}") for n in range(6)]
        taken: list[RowLock] = []

        def take(lock: RowLock, taken: list[RowLock] = taken) -> None:
            if lock.take():
                taken.append(lock)

        threads = [threading.Thread(target=take, args=[lock]) for lock in locks]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(taken) == 1
        taken[0].verify()
        for lock in locks:
            lock.release()
        assert a_lock(workspace.folder / f"{number}-next").take()
        workspace.execute(AGES)


def test_a_row_more_lets_nobody_else_in(workspace: SnowflakeWorkspace) -> None:
    lock = a_lock(workspace.folder / "a")
    assert lock.take()
    workspace.execute(f"INSERT INTO {TABLE} (owner) SELECT NULL")
    assert not a_lock(workspace.folder / "b").take()
    assert len(workspace.rows(f"SELECT 1 FROM {TABLE} WHERE owner IS NULL")) == 1
    lock.verify()
    lock.release()


def test_a_lock_that_is_gone_is_noticed(workspace: SnowflakeWorkspace) -> None:
    lock = a_lock(workspace.folder)
    assert lock.take()
    workspace.execute(f"DROP TABLE {TABLE}")
    with pytest.raises(LockLost, match=r"does not say whether .* nothing is lost"):
        lock.verify()
    lock.release()


def test_staged_files_are_removed(
    space: SimulatedSpace, workspace: SnowflakeWorkspace, server: SnowflakeServer
) -> None:
    workspace.run(space)
    assert workspace.orders() == true_orders(space)
    assert server.staged_files() == []


@pytest.mark.parametrize(
    "sql",
    ["SELECT 1; DELETE FROM orders", "INSERT INTO orders (id) SELECT 'x'", "CALL p()", "SELEC 1"],
)
def test_a_query_that_does_more_than_read_is_refused(
    space: SimulatedSpace, workspace: SnowflakeWorkspace, sql: str
) -> None:
    workspace.run(space)
    refused = workspace.command("query", sql)
    assert refused.returncode == 2
    assert refused.stderr.startswith("signalwire-orders: query: ")
    assert refused.stderr.count("\n") == 1
    assert workspace.orders() == true_orders(space)


def test_a_server_that_does_not_answer_is_said_without_secrets(
    space: SimulatedSpace, workspace: SnowflakeWorkspace
) -> None:
    nowhere = SnowflakeWorkspace(workspace.folder, 1, "ORDERS").environment
    credentials = nowhere["DESTINATION__SNOWFLAKE__CREDENTIALS"] + "&login_timeout=1"
    done = workspace.command("run", space=space, DESTINATION__SNOWFLAKE__CREDENTIALS=credentials)
    assert done.returncode == 1
    assert "no connection to the destination" in done.stderr
    assert "secret" not in done.stdout + done.stderr
