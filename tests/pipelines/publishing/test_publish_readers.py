"""Programs that have a copy open; they are processes of their own, as programs for reports are."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import Workspace, true_orders
from support.published import (
    PLACES,
    leftovers,
    orders_in,
)

from sources.simulator import SimulatedSpace

pytestmark = pytest.mark.proof
READER = """
import sys, duckdb
place, reading = sys.argv[1], sys.argv[2] == "reading"
count = lambda c: c.execute("SELECT count(*) FROM signalwire.orders").fetchone()[0]
connection = duckdb.connect(place, read_only=reading)
print(count(connection), flush=True)
for line in sys.stdin:
    if line == "reopen\\n":
        connection.close()
        connection = duckdb.connect(place, read_only=reading)
    print(count(connection), flush=True)
"""
# every answer is one of a whole copy: as many orders as its reports count
READ_UNTIL_TOLD = """
import json, os, sys, duckdb
place, told = sys.argv[1:]
QUESTION = (
    "SELECT (SELECT count(*) FROM {}), (SELECT count(*) FROM {}), (SELECT orders FROM {})"
)
NAMES = ["signalwire.orders", "signalwire_reports.order_processing",
         "signalwire_reports.processing_time_summary"]
FILES = ["orders", "reports/order_processing", "reports/processing_time_summary"]

def whole():
    if place.endswith(".duckdb"):
        with duckdb.connect(place, read_only=True) as copy:
            return copy.execute(QUESTION.format(*NAMES)).fetchone()
    for name in FILES:
        duckdb.sql(f"SELECT count(*) FROM '{place}/{name}.parquet'").fetchall()
    # a reader that wants several files of one version asks once where the link leads
    version = os.path.realpath(place)
    return duckdb.sql(QUESTION.format(*(f"'{version}/{n}.parquet'" for n in FILES))).fetchall()[0]

print("reading", flush=True)
seen = [whole()]
while not os.path.exists(told):
    answer = whole()
    if answer != seen[-1]:
        seen.append(answer)
print(json.dumps(seen))
"""


@contextmanager
def reader(place: Path, how: str) -> Iterator[Callable[[str], int]]:
    """Another process that has the copy open; called with a word, it counts the orders again."""
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(place), how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout

        def ask(word: str) -> int:
            assert process.stdin
            assert process.stdout
            process.stdin.write(f"{word}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        assert process.stdout.readline()  # it is open now
        yield ask
        process.stdin.close()


class TestReaders:
    @pytest.mark.parametrize("how", ["reading", "writing"])
    def test_keep_what_they_opened_and_hold_nothing_up(
        self, space: SimulatedSpace, any_workspace: Workspace, how: str
    ) -> None:
        place = any_workspace.folder / "bi.duckdb"
        any_workspace.run(space, publish=place)
        _, campaign, _ = space.world.truth_orders()[0]
        with reader(place, how) as ask:
            assert ask("again") == 48
            space.world.add_order(campaign)
            any_workspace.run(space, publish=place)
            assert orders_in(place) == true_orders(space)
            assert ask("again") == 48
            assert ask("reopen") == 49
            space.world.add_order(campaign)
            any_workspace.run(space, publish=place)
            assert ask("again") == 49
            assert ask("reopen") == 50

    @pytest.mark.parametrize("name", PLACES)
    def test_never_see_half(self, space: SimulatedSpace, workspace: Workspace, name: str) -> None:
        place, told = workspace.folder / name, workspace.folder / "enough"
        workspace.run(space, publish=place)
        _, campaign, _ = space.world.truth_orders()[0]
        with subprocess.Popen(
            [sys.executable, "-c", READ_UNTIL_TOLD, str(place), str(told)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            assert process.stderr
            assert process.stdout.readline() == "reading\n"
            for _ in range(5):
                space.world.add_order(campaign)
                workspace.run(space, publish=place)
            told.touch()
            errors = process.stderr.read()
            assert errors == ""
            seen = json.loads(process.stdout.read())
        assert all(len({*counts}) == 1 for counts in seen)
        counts = [orders for orders, *_ in seen]
        assert counts == sorted(counts)
        assert counts[0] < counts[-1] <= 53

    def test_find_the_version_before_and_no_older_one(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        place = workspace.folder / "exports"
        versions = []
        for _ in range(3):
            workspace.run(space, publish=place)
            versions.append(place.resolve())
        assert [(version / "orders.parquet").exists() for version in versions] == [
            False, True, True,
        ]  # fmt: skip
        assert leftovers(workspace) == sorted(version.name for version in versions[1:])
