"""A pooler before PostgreSQL: one that keeps sessions works, any other is refused at the start."""

from __future__ import annotations

from contextlib import closing

import psycopg2
import pytest
from support import Workspace, true_orders
from support.pooler import pooler

from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof

REFUSAL = "a pooler in transaction or statement mode answers there"
SMALL = "default_pool_size = 4\nquery_wait_timeout = 20"
# pgbouncer refuses options, and a run sends some, unless configured to ignore them
IGNORED = "ignore_startup_parameters = extra_float_digits, options"


class TestWithoutSessions:
    """In transaction or statement mode."""

    @pytest.mark.parametrize(
        ("mode", "settings"),
        [
            ("transaction", ()),
            ("transaction", (IGNORED,)),
            ("transaction", (IGNORED, "default_pool_size = 1")),
            ("transaction", (IGNORED, "server_round_robin = 1")),
            ("transaction", (IGNORED, "server_reset_query_always = 1")),
            ("statement", ()),
        ],
        ids=["usual", "ignoring", "of one", "in turn", "resetting", "statement"],
    )
    def test_is_refused_by_name(
        self,
        space: SimulatedSpace,
        postgres_workspace: Workspace,
        mode: str,
        settings: tuple[str, ...],
    ) -> None:
        assert postgres_workspace.postgres_url
        with pooler(postgres_workspace.postgres_url, mode, *settings) as url:
            done = postgres_workspace.command(
                "run", "--quiet", space=space, DESTINATION__POSTGRES__CREDENTIALS=url
            )
        assert done.returncode == 2
        assert REFUSAL in done.stderr
        assert "pool_mode = session" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert space.journal.entries() == []

    def test_is_refused_by_every_command(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        assert postgres_workspace.postgres_url
        postgres_workspace.run(space)
        with pooler(postgres_workspace.postgres_url, "transaction", IGNORED) as url:
            postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
            checked = postgres_workspace.command("check", space=space)
            assert checked.returncode == 1
            assert "FAIL  destination" in checked.stdout
            assert REFUSAL in checked.stdout
            for command in (("query", "SELECT 1"), ("publish", "copy.duckdb"), ("report",)):
                done = postgres_workspace.command(*command)
                assert done.returncode == 2
                assert REFUSAL in done.stderr

    def test_leaves_nothing_in_the_sessions_of_others(
        self, space: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        assert postgres_workspace.postgres_url
        settings = (IGNORED, "default_pool_size = 1")
        with pooler(postgres_workspace.postgres_url, "transaction", *settings) as url:
            for command in (("run",), ("check",), ("query", "SELECT 1")):
                postgres_workspace.command(
                    *command, space=space, DESTINATION__POSTGRES__CREDENTIALS=url
                )
            with closing(psycopg2.connect(url)) as connection:
                cursor = connection.cursor()
                cursor.execute(
                    "SELECT current_setting('search_path'), current_setting('statement_timeout')"
                )
                assert cursor.fetchone() == ('"$user", public', "0")
                cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
                assert cursor.fetchone() == (0,)


class TestInSessionMode:
    """Works, whatever it does with options."""

    @pytest.mark.parametrize("settings", [(SMALL,), (IGNORED, SMALL)], ids=["refusing", "ignoring"])
    def test_loads(
        self, space: SimulatedSpace, postgres_workspace: Workspace, settings: tuple[str, ...]
    ) -> None:
        assert postgres_workspace.postgres_url
        database = postgres_workspace.postgres_url.rpartition("/")[2]
        postgres_workspace.execute(
            f"ALTER DATABASE {database} SET idle_session_timeout = '300ms';"
            f" ALTER DATABASE {database} SET timezone = 'Asia/Tokyo'"
        )
        with pooler(postgres_workspace.postgres_url, "session", *settings) as url:
            for days in (0, 2):
                space.clock.advance(days * 24 * 3600)
                space.faults.add(Fault("/orders", "delay", seconds=1, times=1))
                done = postgres_workspace.command(
                    "run", "--quiet", "--publish", "copy.duckdb",
                    space=space, DESTINATION__POSTGRES__CREDENTIALS=url,
                )  # fmt: skip
                assert (done.returncode, done.stderr) == (0, "")
            asked = postgres_workspace.command(
                "query", "SELECT count(*) AS n FROM orders", DESTINATION__POSTGRES__CREDENTIALS=url
            )
            assert asked.stdout.split() == ["n", str(len(true_orders(space)))]
            checked = postgres_workspace.command(
                "check", space=space, DESTINATION__POSTGRES__CREDENTIALS=url
            )
            assert checked.returncode == 0, checked.stdout
        postgres_workspace.execute(f"ALTER DATABASE {database} RESET ALL")
        assert postgres_workspace.orders() == true_orders(space)
