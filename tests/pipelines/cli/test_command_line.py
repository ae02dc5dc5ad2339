"""The command as a person, cron and a script use it, in processes of its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from support import ROOT, Workspace, true_orders

from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
PROMISED_KEYS = {
    "run_id",
    "mode",
    "requests",
    "retries",
    "pages",
    "brands",
    "campaigns",
    "campaigns_failed",
    "orders_seen",
    "orders_loaded",
    "rejected",
    "seconds",
}


class TestRun:
    """`signalwire-orders run`."""

    def test_loads_and_says_what_it_did(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command("run", space=space)
        assert done.returncode == 0
        assert "48 orders loaded (first load)" in done.stdout
        assert workspace.orders() == true_orders(space)

    def test_json_is_all_there_is_on_standard_output(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        done = workspace.command("run", "--json", space=space)
        (line,) = done.stdout.splitlines()
        result = json.loads(line)
        assert result.keys() >= PROMISED_KEYS
        assert (result["mode"], result["orders_loaded"], result["requests"]) == ("backfill", 48, 7)
        (row,) = workspace.table("runs")
        assert {key: row[key] for key in PROMISED_KEYS - {"seconds"}} == {
            key: result[key] for key in PROMISED_KEYS - {"seconds"}
        }

    def test_quiet_says_nothing(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command("run", "--quiet", space=space)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_narrowed_by_options(self, space: SimulatedSpace, workspace: Workspace) -> None:
        (first, a), (_, b), (other, _), _ = space.world.truth_campaigns()
        ids = [a["id"], b["id"]]
        done = workspace.command(
            "run", "--campaign", ids[0], "--campaign", ids[1], "--brand", first,
            "--state", "processed", "--resources", "orders,brands", "--workers", "2",
            "--dataset", "signalwire", "--destination", "duckdb", space=space,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        expected = [
            row
            for row in true_orders(space)
            if row["campaign_id"] in ids and row["state"] == "processed"
        ]
        assert workspace.orders() == expected
        assert [row["id"] for row in workspace.table("brands")] == [first]
        assert other != first

    def test_the_default_database_is_in_the_current_folder(
        self, space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("DESTINATION__DUCKDB__CREDENTIALS")
        workspace.environment.pop("DESTINATION__DUCKDB__CREDENTIALS")
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.orders() == true_orders(space)

    def test_settings_from_toml_files(self, space: SimulatedSpace, workspace: Workspace) -> None:
        settings = workspace.folder / ".dlt"
        settings.mkdir()
        (settings / "secrets.toml").write_text(
            f'[sources.signalwire]\nspace = "{space.url}"\nproject_id = "{space.project_id}"\n'
            f'api_token = "{space.api_token}"\n'
        )
        (settings / "config.toml").write_text("[sources.signalwire]\npage_size = 5\n")
        done = workspace.command("run")
        assert done.returncode == 0, done.stderr
        assert all("page_size=5" in e.query for e in space.journal.entries())
        assert workspace.orders() == true_orders(space)

    @pytest.mark.parametrize("module", ["pipelines", "pipelines.__main__"])
    def test_as_a_module(self, workspace: Workspace, module: str) -> None:
        done = subprocess.run(
            [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
        )
        assert re.fullmatch(r"\d+\.\d+\.\d+\n", done.stdout)


class TestPartly:
    """A run that could not read everything says so."""

    @pytest.mark.parametrize("status", [404, 500])
    def test_a_campaign_that_cannot_be_read(
        self, space: SimulatedSpace, workspace: Workspace, status: int
    ) -> None:
        _, campaign = space.world.truth_campaigns()[1]
        space.faults.add(Fault(f"{campaign['id']}/orders", "respond", status=status))
        done = workspace.command("run", "--json", space=space)
        assert done.returncode == 3
        result = json.loads(done.stdout)
        assert (result["campaigns_failed"], result["complete"]) == (1, False)
        expected = [row for row in true_orders(space) if row["campaign_id"] != campaign["id"]]
        assert workspace.orders() == expected
        (failure,) = workspace.table("campaign_failures")
        assert failure["campaign_id"] == campaign["id"]
        assert failure["run_id"] == result["run_id"]
        assert str(status) in failure["reason"]
        assert workspace.table("runs")[0]["complete"] is False

    def test_the_next_run_makes_it_good(self, space: SimulatedSpace, workspace: Workspace) -> None:
        _, campaign = space.world.truth_campaigns()[1]
        space.faults.add(Fault(f"{campaign['id']}/orders.*page_number=1", "respond", status=500))
        assert not workspace.run(space, page_size=5).stats.complete
        space.faults.clear()
        assert workspace.run(space, page_size=5).stats.complete
        assert workspace.orders() == true_orders(space)

    def test_a_brand_whose_campaigns_cannot_be_listed(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        brand_id = space.world.truth_brands()[0]["id"]
        space.faults.add(Fault(f"brands/{brand_id}/campaigns", "respond", status=500))
        done = workspace.command("run", space=space)
        assert done.returncode == 3
        assert "NOT COMPLETE" in done.stdout
        (failure,) = workspace.table("campaign_failures")
        assert (failure["brand_id"], failure["campaign_id"]) == (brand_id, None)

    @pytest.mark.parametrize("option", ["--campaign", "--brand"])
    def test_something_that_does_not_exist(
        self, space: SimulatedSpace, workspace: Workspace, option: str
    ) -> None:
        done = workspace.command("run", option, "no-such-id", space=space)
        assert done.returncode == 3
        assert "no-such-id" in done.stdout

    def test_one_that_answers_without_data(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        body = {"error": "Internal Server Error"}
        space.faults.add(Fault("/orders", "respond", status=200, body=body))
        assert not workspace.run(space).stats.complete
        assert workspace.orders() == true_orders(space)


class TestFailed:
    """One sentence that says what to do, the traceback in the log, and the right exit code."""

    def test_without_the_list_of_brands(self, space: SimulatedSpace, workspace: Workspace) -> None:
        space.faults.add(Fault("brands", "respond", status=500))
        done = workspace.command("run", space=space)
        assert done.returncode == 1
        assert "still answered 500" in done.stderr
        with duckdb.connect(str(workspace.database), read_only=True) as connection:
            assert connection.execute("SELECT count(*) FROM duckdb_tables()").fetchone() == (0,)

    def test_wrong_credentials(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command(
            "run", space=space, SOURCES__SIGNALWIRE__API_TOKEN="PTnot-the-right-one"
        )
        assert done.returncode == 1
        assert "api_token" in done.stderr
        assert "Traceback" not in done.stderr
        log = (workspace.folder / "data" / "signalwire_orders.log").read_text()
        assert "Traceback" in log
        assert "PTnot-the-right-one" not in done.stderr + log

    @pytest.mark.parametrize("missing", ["SPACE", "PROJECT_ID", "API_TOKEN"])
    def test_a_missing_setting_is_named(
        self, space: SimulatedSpace, workspace: Workspace, missing: str
    ) -> None:
        credentials = workspace.credentials(space)
        del credentials[f"SOURCES__SIGNALWIRE__{missing}"]
        done = workspace.command("run", **credentials)
        assert done.returncode == 2
        assert f"sources.signalwire.{missing.lower()}" in done.stderr
        assert f"SOURCES__SIGNALWIRE__{missing}" in done.stderr
        assert ".dlt/secrets.toml" in done.stderr
        assert "Traceback" not in done.stderr

    @pytest.mark.parametrize(
        ("variable", "value", "words"),
        [
            ("SPACE", "http://acme.signalwire.com", "plain http"),
            ("SPACE", "https://acme.example/path", "path"),
            ("SPACE", "two words", "names no server"),
            ("API_TOKEN", "  ", "api_token is empty"),
            ("PROJECT_ID", "<your project id>", "project_id is empty"),
            ("WORKERS", "0", "from 1 to 64"),
            ("PAGE_SIZE", "5000", "from 1 to 1000"),
            ("WORKERS", "many", "workers"),
        ],
    )
    def test_a_setting_that_cannot_work(
        self, space: SimulatedSpace, workspace: Workspace, variable: str, value: str, words: str
    ) -> None:
        done = workspace.command("run", space=space, **{f"SOURCES__SIGNALWIRE__{variable}": value})
        assert done.returncode == 2, done.stderr
        assert words in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 3
        assert space.journal.requests == 0

    @pytest.mark.parametrize(
        "arguments",
        [
            ["run", "--resources", "orders,invoices"],
            ["run", "--resources", ""],
            ["run", "--destination", "abacus"],
            ["run", "--no-such-option"],
            ["no-such-command"],
            [],
        ],
        ids=" ".join,
    )
    def test_wrong_usage(
        self, space: SimulatedSpace, workspace: Workspace, arguments: list[str]
    ) -> None:
        done = workspace.command(*arguments, space=space)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        assert space.journal.requests == 0

    def test_the_database_is_open_elsewhere(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        hold = (
            "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
            " sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", hold, str(workspace.database)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as holder:
            assert holder.stdout
            holder.stdout.readline()
            done = workspace.command("run", space=space)
            holder.communicate()
        assert done.returncode == 1
        assert "open in another program" in done.stderr
        assert workspace.command("run", space=space).returncode == 0
        assert workspace.orders() == true_orders(space)

    def test_a_database_that_is_none(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.database.write_text("this is no database")
        done = workspace.command("run", space=space)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert workspace.database.read_text() == "this is no database"


class TestCheck:
    """`signalwire-orders check`."""

    def test_before_and_after_a_run(self, space: SimulatedSpace, workspace: Workspace) -> None:
        before = workspace.command("check", space=space)
        assert before.returncode == 0, before.stdout
        assert "nothing loaded yet" in before.stdout
        workspace.run(space)
        after = workspace.command("check", space=space)
        looked_at = ("credentials", "scopes", "page", "destination", "freshness", "stuck")
        assert [line.split()[:2] for line in after.stdout.splitlines()] == [
            ["ok", what] for what in looked_at
        ]
        assert "48 orders" in after.stdout

    def test_refused_credentials(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command("check", space=space, SOURCES__SIGNALWIRE__API_TOKEN="wrong")
        assert done.returncode == 1
        assert re.search(r"FAIL\s+credentials.*api_token", done.stdout)

    def test_a_missing_scope(self, space: SimulatedSpace, workspace: Workspace) -> None:
        space.faults.add(Fault("/numbers", "respond", status=403))
        done = workspace.command("check", space=space)
        assert done.returncode == 1
        assert re.search(r"FAIL\s+scopes.*Numbers", done.stdout)

    def test_a_destination_that_cannot_be_opened(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.database.write_text("this is no database")
        done = workspace.command("check", space=space)
        assert done.returncode == 1
        assert re.search(r"FAIL\s+destination", done.stdout)


class TestQuery:
    """`signalwire-orders query`."""

    def test_prints_a_table(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space)
        done = workspace.command("query", "SELECT count(*) AS n, '[b]' AS x FROM orders")
        assert done.stdout.splitlines() == [" n  x", "48  [b]"]

    def test_lays_wide_rows_out_one_below_the_other(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        done = workspace.command("query", "SELECT * FROM runs", COLUMNS="80")
        assert re.search(r"^mode +backfill$", done.stdout, re.MULTILINE)

    def test_tells_a_mistake_in_a_sentence(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        workspace.run(space)
        done = workspace.command("query", "SELECT nonsense FROM orders")
        assert done.returncode == 2
        assert "nonsense" in done.stderr
        assert "Traceback" not in done.stderr


class TestSimulate:
    """`signalwire-orders simulate`."""

    def test_prints_one_line_and_serves_until_interrupted(self, workspace: Workspace) -> None:
        options = ("--brands", "1", "--campaigns", "1", "--orders", "5", "--seed", "3")
        with subprocess.Popen(
            [sys.executable, "-m", "pipelines", "simulate", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout
            space = json.loads(process.stdout.readline())
            done = workspace.command(
                "run",
                "--json",
                **{f"SOURCES__SIGNALWIRE__{k}": space[k] for k in ("project_id", "api_token")},
                SOURCES__SIGNALWIRE__SPACE=space["url"],
                SOURCES__SIGNALWIRE__PROJECT_ID=space["project_id"],
                SOURCES__SIGNALWIRE__API_TOKEN=space["api_token"],
            )
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        assert json.loads(done.stdout)["orders_loaded"] == 5
        assert (process.returncode, out, err) == (0, "", "")


def test_help_imports_neither_dlt_nor_pyarrow() -> None:
    code = (
        "import sys; from pipelines.cli.main import build_parser; build_parser().format_help();"
        "slow = {'dlt', 'pyarrow', 'duckdb', 'requests', 'rich', 'aiohttp'};"
        "print(sorted(slow & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout == "[]\n"


@pytest.mark.proof
def test_demo_works_and_leaves_a_database(workspace: Workspace, tmp_path: Path) -> None:
    for _ in range(2):  # a second one starts afresh
        done = workspace.command("demo", "--folder", "shown")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "8,000 orders loaded (first load)" in done.stdout
        assert "orders loaded (incremental)" in done.stdout
        assert "median_hours" in done.stdout
    workspace.database = tmp_path / "shown" / "signalwire_orders.duckdb"
    (loaded,) = workspace.rows("SELECT count(*) AS n FROM orders")
    assert loaded["n"] > 8_000
