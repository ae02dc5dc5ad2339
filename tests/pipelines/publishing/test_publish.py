"""Copies for other programs: they hold what the database holds, and come in whole or not at all.

Readers are processes of their own, as programs for reports are.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from old_duckdb import VERSIONS, ask_old_duckdb
from support import ROOT, Workspace, true_orders

from pipelines.publishing.snapshot import MARK, MARK_COLUMNS
from pipelines.reporting.catalog import configured_reports
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import TABLES
from sources.simulator import Fault, SimulatedSpace

DAY = 24 * 3600
PLACES = ["bi.duckdb", "exports"]
USUAL_TABLES = TABLES.keys() - {"number_assignments"}


def sources(place: Path) -> dict[str, dict[str, str]]:
    """How a reader names each table and each report of a copy, in DuckDB's SQL."""
    if place.is_dir():
        return {
            "tables": {path.stem: f"'{path}'" for path in place.glob("*.parquet")},
            "reports": {path.stem: f"'{path}'" for path in place.glob("reports/*.parquet")},
        }
    with duckdb.connect(str(place), read_only=True) as copy:
        found = copy.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
    kinds = {"signalwire": "tables", "signalwire_reports": "reports"}
    return {
        kind: {name: f"{schema}.{name}" for schema, name in found if schema == its_schema}
        for its_schema, kind in kinds.items()
    }


def copied(place: Path, source: str) -> list[dict[str, Any]]:
    """The rows of a table or report of a copy, with times in UTC."""
    with duckdb.connect(*((str(place), True) if place.is_file() else ())) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        cursor = connection.execute(f"SELECT * FROM {source}")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def assert_same(found: list[dict[str, Any]], expected: list[dict[str, Any]], name: str) -> None:
    """Whole rows, in any order; two databases calculate a last digit differently."""

    def plain(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
        made = [
            tuple((k, float(v) if isinstance(v, Decimal) else v) for k, v in row.items())
            for row in rows
        ]
        return sorted(made, key=lambda row: repr([v for _, v in row if not isinstance(v, float)]))

    for copied_row, row in zip(plain(found), plain(expected), strict=True):
        assert [k for k, _ in copied_row] == [k for k, _ in row], name
        for (column, value), (_, original) in zip(copied_row, row, strict=True):
            near = pytest.approx(original, rel=1e-12) if isinstance(original, float) else original
            assert value == near, f"{name}.{column}"


def assert_is_a_copy(place: Path, workspace: Workspace) -> None:
    """Whole rows of everything, under the same names and in the same order of columns."""
    found = sources(place)
    assert found["tables"].keys() - {"number_assignments"} == USUAL_TABLES | {MARK}
    assert found["reports"].keys() == configured_reports().keys()
    for name in found["tables"].keys() - {MARK}:
        assert_same(copied(place, found["tables"][name]), workspace.table(name), name)
    for name, source in found["reports"].items():
        original = workspace.rows(f"SELECT * FROM signalwire_reports.{name}")
        assert_same(copied(place, source), original, name)


def orders_in(place: Path) -> list[dict[str, Any]]:
    """The orders that a copy holds, as the API serves them."""
    rows = copied(place, sources(place)["tables"]["orders"])
    for row in rows:
        del row["deleted_at"], row["read_at"]
    return sorted(rows, key=lambda row: str(row["id"]))


class TestContent:
    @pytest.mark.parametrize("name", PLACES)
    def test_is_what_the_database_holds(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        """With deleted orders, a field that came later, records that are refused, and failures."""
        place = any_workspace.folder / name
        any_workspace.run(space, resources=["brands", "campaigns", "orders", "number_assignments"])
        (_, campaign, record), *_ = space.world.truth_orders()
        space.world.remove_order(record["id"])
        space.world.add_order(campaign, carrier_note="it's late")
        space.world.insert_raw(campaign, {"state": "pending"})
        space.clock.advance(2 * DAY)
        failing = next(c for _, c, _ in space.world.truth_orders() if c != campaign)
        space.faults.add(Fault(f"/campaigns/{failing}/orders", "respond", status=404))
        result = any_workspace.run(space, publish=place, include_sensitive=True)
        assert result.stats.failures
        assert_is_a_copy(place, any_workspace)
        tables = sources(place)["tables"]
        for table in ("number_assignments", "rejected", "campaign_failures"):
            assert copied(place, tables[table]), table
        assert {"deleted_at", "carrier_note"} <= copied(place, tables["orders"])[0].keys()
        assert "ein" in copied(place, tables["brands"])[0]

    def test_rows_come_in_many_pieces(
        self, space: SimulatedSpace, any_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipelines.destinations.rows.ROWS_AT_ONCE", 7)
        any_workspace.run(space, publish=any_workspace.folder / "bi.duckdb")
        assert_is_a_copy(any_workspace.folder / "bi.duckdb", any_workspace)

    @pytest.mark.parametrize("name", PLACES)
    def test_tables_that_are_not_there_yet_are_empty(
        self,
        space: SimulatedSpace,
        any_workspace: Workspace,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
    ) -> None:
        """Nor have there to be views: the reports are computed in the copy."""
        monkeypatch.setenv("REPORTS__APPLY", "false")
        place = any_workspace.folder / name
        any_workspace.run(space, resources=["brands"], publish=place)
        found = sources(place)
        assert found["tables"].keys() == USUAL_TABLES | {MARK}
        assert len(copied(place, found["tables"]["brands"])) == 2
        assert copied(place, found["tables"]["orders"]) == []
        assert copied(place, found["reports"]["order_processing"]) == []

    def test_says_what_everything_is(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space, publish=workspace.folder / "bi.duckdb")
        with duckdb.connect(str(workspace.folder / "bi.duckdb"), read_only=True) as copy:
            rows = copy.execute(
                "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
            ).fetchall()
            tables = dict(
                copy.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
            )
        expected = {MARK: MARK_COLUMNS}
        expected |= {name: dict(r.columns) for name, r in configured_reports().items()}
        for name in USUAL_TABLES:
            expected[name] = {c.name: c.description for c in TABLES[name].columns()}
        found: dict[str, dict[str, str]] = {name: {} for name in tables}
        for table, column, comment in rows:
            found[table][column] = comment
        assert found == expected
        assert tables["orders"] == TABLES["orders"].description
        assert tables["backlog"] == configured_reports()["backlog"].grain

    @pytest.mark.parametrize("version", VERSIONS)
    def test_old_duckdbs_read_it(
        self, space: SimulatedSpace, workspace: Workspace, version: str
    ) -> None:
        self.read_by(version, space, workspace)

    def test_the_oldest_reads_what_is_from_postgres(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        self.read_by(VERSIONS[0], space, postgres_workspace)

    def read_by(self, version: str, space: SimulatedSpace, workspace: Workspace) -> None:
        """Every value of every table and report, as text."""
        place = workspace.folder / "bi.duckdb"
        workspace.run(space, publish=place)
        names = [name for kind in sources(place).values() for name in kind.values()]
        queries = [f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM {name} ORDER BY ALL" for name in names]
        with duckdb.connect(str(place), read_only=True) as copy:
            copy.execute("SET TimeZone = 'UTC'")
            expected = [copy.execute(query).fetchall() for query in queries]
        assert f"{true_orders(space)[0]['created_at']:%F %T}" in str(expected)
        assert ask_old_duckdb(version, place, queries) == (version, expected)

    def test_the_questions_in_the_docs_have_answers(
        self, space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in PLACES:
            workspace.run(space, publish=workspace.folder / name)
        text = (ROOT / "docs" / "bi.md").read_text(encoding="utf-8")
        with duckdb.connect(str(workspace.folder / "bi.duckdb"), read_only=True) as copy:
            questions = re.findall(r"```sql\n(.*?)```|`(SELECT .*?)`", text, re.DOTALL)
            assert len(questions) == 5
            for block, line in questions:
                assert copy.execute(block or line).fetchall()
        (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
        monkeypatch.chdir(workspace.folder)
        exec(compile(code, "bi.md", "exec"), {})  # noqa: S102 - it is our own


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


def leftovers(workspace: Workspace) -> list[str]:
    """What lies hidden beside the copies."""
    return sorted(path.name for path in workspace.folder.iterdir() if path.name.startswith("."))


class TestPlaces:
    def test_nothing_is_published_unless_asked_for(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        result = workspace.run(space)
        assert result.as_dict()["published"] is None
        database = workspace.database.name
        assert {path.name for path in workspace.folder.iterdir()} == {
            "data", database, f"{database}.lock",
        }  # fmt: skip

    @pytest.mark.parametrize("name", PLACES)
    def test_asked_for_by_option_or_setting(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        done = any_workspace.command("run", "--publish", name, space=space)
        assert done.returncode == 0, done.stderr
        place = any_workspace.folder / name
        assert f"\npublished to {place}\n" in done.stdout
        space.clock.advance(DAY)
        done = any_workspace.command("run", "--json", space=space, REPORTS__PUBLISH=name)
        assert json.loads(done.stdout)["published"] == str(place)
        assert orders_in(place) == true_orders(space)

    def test_a_partial_run_publishes_too(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        failing = space.world.truth_orders()[0][1]
        space.faults.add(Fault(f"/campaigns/{failing}/orders", "respond", status=404))
        done = any_workspace.command("run", "--publish", "bi.duckdb", space=space)
        assert done.returncode == 3
        assert "published to " in done.stdout
        assert_is_a_copy(any_workspace.folder / "bi.duckdb", any_workspace)

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("text.duckdb", "is no copy"),
            ("other.duckdb", "is no copy"),
            ("held.duckdb", "is no copy"),
            ("folder.duckdb", "is no copy"),
            ("full", "is no copy"),
            ("file", "is no copy"),
            ("link", "is no copy"),
            ("signalwire_orders.duckdb", "the database that runs load into itself"),
            ("alias.duckdb", "the database that runs load into itself"),
            ("..", "the name of a file or folder"),
        ],
    )
    def test_what_is_no_copy_stays(
        self, space: SimulatedSpace, workspace: Workspace, name: str, reason: str
    ) -> None:
        """Refused before anything is read."""
        workspace.run(space)
        folder = workspace.folder
        (folder / "text.duckdb").write_text("a letter")
        (folder / "file").write_text("a letter")
        (folder / "folder.duckdb").mkdir()
        (folder / "full").mkdir()
        (folder / "full" / "letter").touch()
        (folder / "link").symlink_to("full")
        (folder / "alias.duckdb").symlink_to(workspace.database)
        with duckdb.connect(str(folder / "other.duckdb")) as other:
            other.execute("CREATE TABLE published AS SELECT 1 AS day")
        before = contents(folder)
        space.journal.clear()
        with duckdb.connect(str(folder / "held.duckdb")) as held:
            held.execute("CREATE TABLE orders AS SELECT 1 AS id")
            with pytest.raises(ConfigurationError, match=reason):
                workspace.run(space, publish=folder / name)
        (folder / "held.duckdb").unlink()
        assert space.journal.entries() == []
        assert contents(folder) == before

    def test_a_refusal_is_wrong_usage(self, space: SimulatedSpace, workspace: Workspace) -> None:
        (workspace.folder / "full").mkdir()
        (workspace.folder / "full" / "letter").touch()
        done = workspace.command("run", "--publish", "full", space=space)
        assert done.returncode == 2
        assert "publish: " in done.stderr
        assert space.journal.entries() == []

    def test_an_empty_folder_is_filled(self, space: SimulatedSpace, workspace: Workspace) -> None:
        place = workspace.folder / "exports"
        place.mkdir()
        workspace.run(space, publish=place)
        assert orders_in(place) == true_orders(space)

    def test_a_link_to_a_copy_stays_one_and_permissions_stay(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        real, link = workspace.folder / "real.duckdb", workspace.folder / "link.duckdb"
        link.symlink_to(real)
        workspace.run(space, publish=link)
        real.chmod(0o640)
        space.clock.advance(DAY)
        workspace.run(space, publish=link)
        assert link.is_symlink()
        assert real.stat().st_mode & 0o777 == 0o640
        assert orders_in(real) == true_orders(space)

    def test_what_somebody_wrote_into_a_copy_is_not_applied_to_the_next(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        place = workspace.folder / "bi.duckdb"
        workspace.run(space, publish=place)
        writes_and_dies = (
            "import duckdb, os, signal; c = duckdb.connect('bi.duckdb');"
            "c.execute('DELETE FROM signalwire.orders'); os.kill(os.getpid(), signal.SIGKILL)"
        )
        subprocess.run([sys.executable, "-c", writes_and_dies], cwd=workspace.folder, check=False)
        log = workspace.folder / "bi.duckdb.wal"
        assert log.exists()
        workspace.run(space, publish=place)
        assert not log.exists()
        assert orders_in(place) == true_orders(space)


def contents(folder: Path) -> dict[str, bytes | str]:
    """Every file below a folder with its bytes, links with where they lead; dlt's own left out."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file() and not name.startswith("data/") and not name.endswith(".lock"):
            found[name] = path.read_bytes()
    return found


# the disk is full from the moment on at which publishing begins, as far as this process can tell
DISK_FULL = """
import resource, sys
import pipelines.signalwire_orders as orders
real = orders.publish_copy
def publish_copy(*args):
    resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
    real(*args)
orders.publish_copy = publish_copy
from pipelines.cli.main import main
sys.exit(main(["run", "--publish", {name!r}]))
"""
DIES = """
import os, pkgutil, signal, sys
owner = pkgutil.resolve_name({owner!r})
real = getattr(owner, {name!r})
def deadly(*args, **kwargs):
    if {after}:
        real(*args, **kwargs)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(owner, {name!r}, deadly)
from pipelines.cli.main import main
sys.exit(main(["run", "--quiet", "--publish", {place!r}]))
"""
DEATHS = [
    ("bi.duckdb", "pipelines.publishing.snapshot:_columns_to_copy", True),
    ("bi.duckdb", "pipelines.destinations.duckdb:DuckDB.copy_tables", True),
    ("bi.duckdb", "pipelines.publishing.snapshot:_mark", False),
    ("bi.duckdb", "pipelines.publishing.output_location:DatabaseFile.put", False),
    ("exports", "pipelines.publishing.snapshot:_make_report", True),
    ("exports", "pipelines.publishing.output_location:export_parquet", True),
    ("exports", "pathlib:Path.rename", True),
    ("exports", "pathlib:Path.replace", False),
    ("exports", "pipelines.publishing.output_location:ParquetFolder._remove_all_but", False),
]


def in_a_process(
    workspace: Workspace, space: SimulatedSpace, program: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=workspace.folder,
        env=os.environ | workspace.credentials(space),
        capture_output=True,
        text=True,
        check=False,
    )


class TestFailures:
    def test_no_such_folder(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        done = any_workspace.command("run", "--publish", "nowhere/bi.duckdb", space=space)
        assert (done.returncode, space.journal.requests) == (2, 0)
        (sentence,) = done.stderr.splitlines()
        assert "publish: there is no folder" in sentence
        assert not (any_workspace.folder / "nowhere").exists()

    @pytest.mark.parametrize("name", PLACES)
    def test_a_full_disk(self, space: SimulatedSpace, any_workspace: Workspace, name: str) -> None:
        """The load counts, the copy before stays, and the next run works again."""
        place = any_workspace.folder / name
        any_workspace.run(space, publish=place)
        before = {n: c for n, c in contents(any_workspace.folder).items() if name in n}
        space.clock.advance(DAY)
        done = in_a_process(any_workspace, space, DISK_FULL.format(limit=300_000, name=name))
        assert done.returncode == 1
        assert "everything is loaded, but its copy could not be published to" in done.stderr
        assert any_workspace.orders() == true_orders(space)
        assert before == {n: c for n, c in contents(any_workspace.folder).items() if name in n}
        any_workspace.run(space, publish=place)
        assert_is_a_copy(place, any_workspace)

    @pytest.mark.proof
    @pytest.mark.parametrize(
        ("name", "point", "after"), DEATHS, ids=lambda value: str(value).rpartition(":")[2]
    )
    def test_a_kill_leaves_the_copy_before_and_nothing_that_stays(
        self, space: SimulatedSpace, workspace: Workspace, name: str, point: str, after: bool
    ) -> None:
        self.killed(space, workspace, name, point, after=after)

    def test_a_kill_while_postgres_is_read(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        self.killed(
            space,
            postgres_workspace,
            "bi.duckdb",
            "pipelines.destinations.copy_file:insert",
            after=True,
        )

    def killed(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str, point: str, *, after: bool
    ) -> None:
        place = any_workspace.folder / name
        any_workspace.run(space, publish=place)
        before = true_orders(space)
        space.clock.advance(DAY)
        owner, _, function = point.rpartition(".")
        if not owner.count(":"):
            owner, _, function = point.rpartition(":")
        program = DIES.format(owner=owner, name=function, after=after, place=name)
        killed = in_a_process(any_workspace, space, program)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        swapped = "_remove_all_but" in point
        assert orders_in(place) == (true_orders(space) if swapped else before)
        for _ in range(2):
            any_workspace.run(space, publish=place)
        assert_is_a_copy(place, any_workspace)
        visible = {path.name for path in any_workspace.folder.iterdir()} - {
            "data", any_workspace.database.name, f"{any_workspace.database.name}.lock",
        }  # fmt: skip
        assert len(visible) == (1 if place.is_file() else 3), visible
