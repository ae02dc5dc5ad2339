"""What is MariaDB's alone; the conformance suite runs there too: make test-warehouses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support import ROOT, MariaDBWorkspace, true_orders
from support.mariadb_server import MariaDBServer, running_mariadb

from pipelines.destinations.resolve import find_target
from pipelines.errors import KeysFailed, LockLost
from sources.simulator import SimulatedSpace


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDBServer]:
    with running_mariadb() as server:
        yield server


@pytest.fixture
def workspace(
    server: MariaDBServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MariaDBWorkspace:
    made = MariaDBWorkspace(tmp_path, server.fresh_url())
    made.prepared(monkeypatch)
    return made


def test_mysql_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    """A server that says that it is MySQL; none can be had here."""
    with running_mariadb("--version=5.7.19") as server, SimulatedSpace(orders=3) as space:
        # with mariadb:// SQLAlchemy refuses it
        url = server.fresh_url().replace("mariadb+", "mysql+")
        done = MariaDBWorkspace(tmp_path, url).command("run", space=space)
        assert done.returncode == 2
        assert "the server is MySQL 5.7.19" in done.stderr
        assert "load into MariaDB" in done.stderr
        assert space.journal.requests == 0


def test_keys_are_indexed_and_indexed_again(workspace: MariaDBWorkspace) -> None:
    """A key that is there twice is refused by the table, not only by our merge."""
    indexes = (
        "SELECT table_schema, non_unique FROM information_schema.statistics"
        " WHERE table_name = 'orders' AND column_name = 'id' ORDER BY 1"
    )
    with SimulatedSpace(orders=3) as space:
        for _ in range(2):
            space.clock.advance(86_400)
            workspace.run(space)
        found = [tuple(row.values()) for row in workspace.rows(indexes)]
        assert found == [("signalwire", 0), ("signalwire_staging", 1)]
        workspace.execute("DROP INDEX orders_key ON signalwire.orders")
        # a user's index is not ours
        workspace.execute("CREATE INDEX by_state ON signalwire.orders (state(9))")
        space.clock.advance(86_400)
        workspace.run(space)
        assert ("signalwire", 0) in [tuple(row.values()) for row in workspace.rows(indexes)]
        assert workspace.orders() == true_orders(space)


def test_a_key_that_is_there_twice_is_said(workspace: MariaDBWorkspace) -> None:
    with SimulatedSpace(orders=3) as space:
        workspace.run(space)
        workspace.execute("DROP INDEX orders_key ON signalwire.orders")
        workspace.execute("INSERT INTO signalwire.orders SELECT * FROM signalwire.orders LIMIT 1")
        space.clock.advance(86_400)
        with pytest.raises(KeysFailed, match="orders holds the same id twice"):
            workspace.run(space)


def test_the_rights_in_the_documentation_are_enough(
    server: MariaDBServer, workspace: MariaDBWorkspace
) -> None:
    """Also where databases are an administrator's."""
    text = (ROOT / "docs" / "destinations.md").read_text(encoding="utf-8")
    statements = text.partition("## MariaDB")[2].partition("```sql")[2].partition("```")[0]
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE OR REPLACE USER loader IDENTIFIED BY 'secret'")
        for statement in filter(str.strip, statements.split(";")):
            cursor.execute(statement)
        cursor.execute("GRANT USAGE ON orders.* TO loader")
        cursor.execute("GRANT SELECT ON orders.* TO loader")
    url = workspace.environment["DESTINATION__SQLALCHEMY__CREDENTIALS"]
    workspace.environment["DESTINATION__SQLALCHEMY__CREDENTIALS"] = url.replace(
        "root@", "loader:secret@"
    )
    with SimulatedSpace(orders=3) as space:
        done = workspace.command("run", space=space)
        assert done.returncode == 0, done.stderr
        assert "secret" not in done.stdout + done.stderr
        assert workspace.orders() == true_orders(space)


def test_a_lock_whose_connection_is_gone_is_noticed(
    server: MariaDBServer, workspace: MariaDBWorkspace
) -> None:
    lock = find_target().lock()
    assert lock.take()
    lock.verify()
    with closing(server.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT number FROM signalwire._signalwire_orders_run")
        cursor.execute(f"KILL {cursor.fetchone()[0]}")
    with pytest.raises(LockLost, match="nothing is lost"):
        lock.verify()
    lock.release()
    other = find_target().lock()
    assert other.take()
    other.release()


def test_what_only_reads_leaves_the_connection_writable(workspace: MariaDBWorkspace) -> None:
    """While a lock is held, all clients of the process take connections from one pool."""
    with SimulatedSpace(orders=3) as space:
        workspace.run(space)
        target = find_target()
        lock = target.lock()
        assert lock.take()
        with target.opened() as client:
            client.execute_sql("SELECT count(*) FROM orders")
        with target.probe.sql_client() as client:
            client.execute_sql("UPDATE signalwire.orders SET state = 'seen'")
        lock.release()
        assert {row["state"] for row in workspace.table("orders")} == {"seen"}
