"""Other destinations, and what is said where a promise is not kept; PostgreSQL's rows exactly."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dlt
import pytest
from support import ROOT, Workspace, true_orders
from support.postgres_server import PostgresServer

from pipelines.destinations.base import Capabilities, Destination
from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import DESTINATIONS, find_target
from pipelines.errors import Busy
from sources.signalwire.errors import ConfigurationError
from sources.simulator import SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
HOUR, DAY = 3600, 24 * 3600
NO_REPORTS = "there are no reports on sqlite"
# what file formats tend to spoil; an empty text is not a null
TEXTS = [
    "",
    " ",
    "NULL",
    "\\N",
    "\\.",
    "a\n\\.\nb",
    "a\r\nb",
    "a\tb\\",
    "\"a\" 'b', c",
    "ü\u2028😀",
]


class TestGuarantees:
    """One table says what is kept; what is not, is said at the start."""

    @pytest.mark.parametrize("kind", ["duckdb", "postgres"])
    def test_all_is_kept(self, kind: str) -> None:
        assert all(DESTINATIONS[kind].capabilities)
        assert caveats(kind) == []

    def test_what_is_not_kept_is_said(self) -> None:
        assert [NO_REPORTS in sentence for sentence in caveats("sqlite")] == [True]
        for catalog in ("sqlite:///lake.sqlite", "duckdb:///lake", "postgres://db/lake#ducklake"):
            assert caveats("ducklake", catalog) == []
        (sentence,) = caveats("ducklake", "mysql://db/lake#ducklake")
        assert "two machines" in sentence
        (sentence,) = caveats("snowflake")
        assert "in an emulator only" in sentence
        untried, lock = caveats("redshift")
        assert "never tried" in untried
        assert "two machines" in lock

    def test_nothing_is_promised_of_what_was_not_tried(self) -> None:
        assert not any(Destination.capabilities)
        assert all(kept.tried and kept.stale_row_filter for kept in tried().values())

    def test_nothing_is_said_where_all_is_kept(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        ran = any_workspace.command("run", "--quiet", space=space)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert "limits" not in any_workspace.command("check", space=space).stdout

    @pytest.mark.parametrize("resources", [None, ["brands"]], ids=["all", "brands"])
    def test_what_keeps_no_rows_is_refused(
        self, space: SimulatedSpace, workspace: Workspace, resources: list[str] | None
    ) -> None:
        with pytest.raises(ConfigurationError, match=r"dummy cannot be loaded into: .*twice"):
            workspace.run(space, destination="dummy", resources=resources)
        assert space.journal.entries() == []

    def test_what_dlt_cannot_merge_into_is_refused(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Files without a table format, say, if nothing of ours merged them."""
        monkeypatch.setenv("DESTINATION__FILESYSTEM__BUCKET_URL", str(workspace.folder))
        probe = dlt.pipeline("probe", destination="filesystem", dataset_name="signalwire")
        nowhere = Destination("filesystem", "", "", "signalwire", "signalwire", probe)
        with pytest.raises(ConfigurationError, match=r"filesystem cannot be loaded into: .*twice"):
            nowhere.require_loadable()

    def test_check_tells_that_it_is_refused(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        done = workspace.command("check", "--destination", "dummy", space=space)
        assert done.returncode == 2
        assert "cannot be loaded into" in done.stderr

    def test_nothing_else_asks_which_destination_it_is(self) -> None:
        asks = re.compile(r"(target|destination)\.kind\s*(==|!=|in\b|not in\b)|isinstance\(target")
        for path in (ROOT / "pipelines").rglob("*.py"):
            if path.parts[len(ROOT.parts) + 1] != "destinations":
                assert not asks.search(path.read_text(encoding="utf-8")), path

    def test_the_documentation_has_the_same_table(self) -> None:
        text = (ROOT / "docs" / "destinations.md").read_text(encoding="utf-8")
        rows = [line.split("|")[1:-1] for line in text.splitlines() if line.startswith("| `")]
        width = len(Capabilities._fields) + 2  # the kind, and how it was tried
        cells = {
            row[0].split("`")[1]: [cell.strip() for cell in row[1:]]
            for row in rows
            if len(row) == width
        }
        for kind, kept in tried().items():
            assert cells[kind][: len(Capabilities._fields)] == [
                "yes" if one else "no" for one in kept
            ], kind


class TestPostgresRows:
    """Every value as it was served, by whichever way rows go there."""

    @pytest.fixture
    def awkward(self, space: SimulatedSpace) -> SimulatedSpace:
        for (_, _, record), text in zip(space.world.truth_orders(), TEXTS, strict=False):
            space.world.patch_order(
                record["id"],
                status_callback_url=text,
                processed_at="2026-01-02T03:04:05.123457Z",
            )
        return space

    @pytest.mark.proof
    def test_without_the_adbc_driver(
        self, awkward: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        missing = _hide(postgres_workspace.folder, "adbc_driver_manager")
        ran = postgres_workspace.command("run", "--quiet", space=awkward, PYTHONPATH=missing)
        assert (ran.returncode, ran.stderr) == (0, "")
        assert postgres_workspace.orders() == true_orders(awkward)

    def test_tables_without_a_row(
        self, open_space: OpenSpace, postgres_workspace: Workspace
    ) -> None:
        result = postgres_workspace.run(open_space(brands=0))
        assert result.stats.complete
        for table in ("orders", "campaigns", "brands", "rejected", "campaign_failures"):
            assert postgres_workspace.table(table) == []


class TestWhatIsMissing:
    """One sentence for each thing that a destination can lack."""

    def test_the_packages_for_postgresql(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        missing = _hide(postgres_workspace.folder, "psycopg2")
        done = postgres_workspace.command("run", space=space, PYTHONPATH=missing)
        assert done.returncode == 2
        assert done.stderr == (
            "signalwire-orders: postgres needs packages that are not installed:"
            " pip install 'signalwire-orders[postgres]'\n"
        )

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ((r":\d+/.*", ":1/orders"), "Connection refused"),
            ((r"/\w+$", "/nowhere"), 'database "nowhere" does not exist'),
            (("postgres:none", "nobody:none"), 'role "nobody" does not exist'),
        ],
        ids=["server", "database", "role"],
    )
    def test_a_connection(
        self,
        space: SimulatedSpace,
        postgres_workspace: Workspace,
        change: tuple[str, str],
        reason: str,
    ) -> None:
        assert postgres_workspace.postgres_url
        url = re.sub(*change, postgres_workspace.postgres_url)
        postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 1
        sentence = done.stderr.splitlines()[0]
        assert sentence.startswith("signalwire-orders: no connection to the destination (")
        assert reason in sentence
        assert "host, database and credentials" in sentence

    def test_the_right_to_make_a_schema(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        role = f"loader_{postgres_workspace.folder.name}"[:60]
        postgres_workspace.execute(f'CREATE ROLE "{role}" LOGIN')
        assert postgres_workspace.postgres_url
        url = postgres_workspace.postgres_url.replace("postgres:none", f"{role}:none")
        postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 2
        assert "the database refuses to be written to (permission denied for" in done.stderr


def test_other_datasets_do_not_meet_on_a_server(
    space: SimulatedSpace, postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__POSTGRES__CREDENTIALS", postgres.new_database())
    with exclusive(find_target("postgres", "one"), 0):
        with exclusive(find_target("postgres", "two"), 0):
            pass
        with pytest.raises(Busy), exclusive(find_target("postgres", "one"), 0):
            pass


def caveats(kind: str, location: str = "") -> list[str]:
    """What is said of a kind of destination."""
    probe: Any = None
    found = DESTINATIONS.get(kind, Destination)
    return found(kind, location, "", "orders", "orders", probe).caveats()


def tried() -> dict[str, Capabilities]:
    """What is kept by each kind of destination that something is promised of."""
    found = {kind: destination.capabilities for kind, destination in DESTINATIONS.items()}
    return {kind: kept for kind, kept in found.items() if any(kept)}


def _hide(folder: Path, module: str) -> str:
    """A folder for PYTHONPATH in which a module is as if it were not installed."""
    hiding = folder / "hidden"
    hiding.mkdir()
    program = "raise ModuleNotFoundError(f'No module named {__name__!r}', name=__name__)\n"
    (hiding / f"{module}.py").write_text(program, encoding="utf-8")
    return str(hiding)
