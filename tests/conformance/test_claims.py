"""The commands, and what a destination claims: copies and reports work, or are refused."""

from __future__ import annotations

from contextlib import closing

import duckdb
import pytest
from support import Workspace, true_orders

from pipelines.destinations.resolve import find_target
from sources.simulator import SimulatedSpace


def test_the_commands(space: SimulatedSpace, workspace: Workspace) -> None:
    caveats = find_target().caveats()
    ran = workspace.command("run", space=space)
    assert ran.returncode == 0
    assert [ran.stderr.count(caveat) for caveat in caveats] == [1] * len(caveats)
    assert ran.stderr.count("WARNING") == len(caveats)
    assert "Warning:" not in ran.stderr
    checked = workspace.command("check", "--max-age", "1h", space=space)
    assert checked.returncode == 0, checked.stdout
    assert checked.stdout.count("ok    limits") == len(caveats)
    assert "48 orders, the newest changed" in checked.stdout
    asked = workspace.command("query", "SELECT count(*) AS orders FROM orders")
    assert asked.stdout.split() == ["orders", "48"]


def test_queries_cannot_write(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    assert workspace.command("query", "DELETE FROM orders").returncode == 2
    assert workspace.orders() == true_orders(space)


@pytest.mark.proof
def test_reports(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    commands = (("report",), ("report", "order_processing"), ("dashboard",), ("reports", "apply"))
    for arguments in commands:
        done = workspace.command(*arguments)
        if find_target().capabilities.reports:
            assert done.returncode == 0, done.stderr
        else:
            assert done.returncode == 2
            assert "there are no reports for" in done.stderr


@pytest.mark.proof
def test_publishing(space: SimulatedSpace, workspace: Workspace) -> None:
    copy = workspace.folder / "copy.duckdb"
    workspace.run(space)
    workspace.execute(f"ALTER TABLE {workspace.qualified('orders')} ADD reviewed boolean")
    space.journal.clear()
    done = workspace.command("run", "--publish", str(copy), space=space)
    if not find_target().capabilities.publish:
        assert done.returncode == 2
        assert "publish: copies are made of" in done.stderr
        assert space.journal.entries() == []
        return
    assert done.returncode == 0, done.stderr
    with closing(duckdb.connect(str(copy), read_only=True)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute("SELECT * FROM signalwire.orders ORDER BY id")
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    # a column that the user has added is not copied
    assert rows == [
        {name: value for name, value in row.items() if name != "reviewed"}
        for row in workspace.table("orders")
    ]
