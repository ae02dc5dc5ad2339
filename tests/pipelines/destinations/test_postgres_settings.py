"""What roles, databases and the environment set for PostgreSQL changes nothing that is loaded."""

from __future__ import annotations

import getpass
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import Workspace, true_orders
from support.postgres_server import GUARDED, PostgresServer

from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof

TEXT = "Café 'b' \\ \"c\" 😀"
DRIVERS = {"adbc": {}, "psycopg2": {"DISABLE_ADBC_DETECTION": "true"}}
LIMITS = {
    "idle": ("idle_session_timeout = '200ms'",),
    "others": (
        "idle_in_transaction_session_timeout = 1",
        "statement_timeout = 1",
        "lock_timeout = 1",
    ),
}


def database_of(workspace: Workspace) -> str:
    """The name of the workspace's database."""
    assert workspace.postgres_url
    return workspace.postgres_url.rpartition("/")[2]


@pytest.fixture
def odd(space: SimulatedSpace) -> SimulatedSpace:
    """A space with a text and with times that settings tend to spoil."""
    space.world.patch_order(
        space.world.truth_orders()[0][2]["id"],
        status_callback_url=TEXT,
        created_at="0001-01-01T00:00:00Z",
        processed_at="9999-12-31T23:59:59Z",
    )
    return space


def load_twice(
    space: SimulatedSpace, workspace: Workspace, *settings: str, **environment: str
) -> None:
    """Loads into a database with these settings, and again, and compares what is there."""
    database = database_of(workspace)
    for setting in settings:
        workspace.execute(f"ALTER DATABASE {database} SET {setting}")
    for more in ((), ("--full",)):
        done = workspace.command("run", "--quiet", *more, space=space, **environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
    for arguments in (("report",), ("query", "SELECT created_at FROM orders ORDER BY 1 LIMIT 1")):
        done = workspace.command(*arguments, **environment)
        assert (done.returncode, done.stderr) == (0, "")
    assert "1-01-01 00:00:00Z" in done.stdout
    workspace.execute(f"ALTER DATABASE {database} RESET ALL")
    assert workspace.orders() == true_orders(space)


class TestSettings:
    """Change nothing, whichever way rows go there."""

    @pytest.mark.parametrize("driver", DRIVERS)
    @pytest.mark.parametrize(
        "settings",
        [
            ("timezone = 'America/New_York'", "datestyle = 'German'", "bytea_output = 'escape'"),
            ("timezone = 'Asia/Tokyo'", "client_encoding = 'LATIN1'"),
            ("quote_all_identifiers = on",),
            ("search_path = ''", "standard_conforming_strings = off"),
        ],
        ids=["west", "east", "quotes", "paths"],
    )
    def test_of_the_database(
        self,
        odd: SimulatedSpace,
        postgres_workspace: Workspace,
        settings: tuple[str, ...],
        driver: str,
    ) -> None:
        load_twice(odd, postgres_workspace, *settings, **DRIVERS[driver])

    @pytest.mark.parametrize("driver", DRIVERS)
    @pytest.mark.parametrize(
        "environment",
        [
            {"PGTZ": "Asia/Tokyo", "PGCLIENTENCODING": "LATIN1"},
            {"PGTZ": "America/New_York", "PGDATESTYLE": "SQL, DMY", "PGCLIENTENCODING": "nonsense"},
            {"PGOPTIONS": "-c timezone=Asia/Tokyo -c idle_session_timeout=1min"},
        ],
        ids=["east", "west", "options"],
    )
    def test_of_the_environment(
        self,
        odd: SimulatedSpace,
        postgres_workspace: Workspace,
        environment: dict[str, str],
        driver: str,
    ) -> None:
        load_twice(odd, postgres_workspace, **environment, **DRIVERS[driver])

    def test_options_in_the_address(
        self, odd: SimulatedSpace, postgres_workspace: Workspace
    ) -> None:
        options = "-c%20timezone%3DAsia%2FTokyo%20-c%20application_name%3Dother"
        url = f"{postgres_workspace.postgres_url}?options={options}&client_encoding=latin1"
        load_twice(odd, postgres_workspace, DESTINATION__POSTGRES__CREDENTIALS=url)


class TestLimits:
    """Shorter than reading and loading take."""

    @pytest.mark.parametrize("limits", LIMITS)
    @pytest.mark.parametrize("driver", DRIVERS)
    def test_do_not_end_a_run(
        self, space: SimulatedSpace, postgres_workspace: Workspace, limits: str, driver: str
    ) -> None:
        database = database_of(postgres_workspace)
        for limit in LIMITS[limits]:
            postgres_workspace.execute(f"ALTER DATABASE {database} SET {limit}")
        for days in (0, 2):
            space.clock.advance(days * 24 * 3600)
            space.faults.add(Fault("/orders", "delay", seconds=1, times=1))
            done = postgres_workspace.command(
                "run",
                "--quiet",
                "--full",
                "--publish",
                "copy.duckdb",
                space=space,
                **DRIVERS[driver],
            )
            assert (done.returncode, done.stderr) == (0, "")
        postgres_workspace.execute(f"ALTER DATABASE {database} RESET ALL")
        assert postgres_workspace.orders() == true_orders(space)

    def test_end_a_query(self, space: SimulatedSpace, postgres_workspace: Workspace) -> None:
        postgres_workspace.run(space)
        database = database_of(postgres_workspace)
        postgres_workspace.execute(f"ALTER DATABASE {database} SET statement_timeout = '300ms'")
        done = postgres_workspace.command("query", "SELECT pg_sleep(60)")
        assert done.returncode == 2
        assert "canceling statement due to statement timeout" in done.stderr


class TestEncodings:
    """Of a database that is not in UTF-8, which cannot hold every text."""

    @pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP"])
    def test_is_refused(
        self,
        odd: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        encoding: str,
    ) -> None:
        name = f"t{uuid.uuid4().hex}"
        postgres_workspace.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
        )
        url = postgres.url(name)
        postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
        try:
            done = postgres_workspace.command("run", "--quiet", space=odd)
            assert done.returncode == 2
            assert f"the database {name} is in {encoding}" in done.stderr
            assert odd.journal.entries() == []
            checked = postgres_workspace.command("check", space=odd)
            assert checked.returncode == 1
            assert f"the database {name} is in {encoding}" in checked.stdout
        finally:
            postgres_workspace.execute(f"DROP DATABASE {name}")


class TestPasswords:
    """That libpq finds by itself, or that are not needed."""

    @pytest.fixture
    def guarded(
        self, postgres_workspace: Workspace, monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[str]:
        """A role that the server asks for a password."""
        for name in ("PGPASSWORD", "PGPASSFILE", "PGSERVICEFILE"):
            monkeypatch.delenv(name, raising=False)
        role, database = f"loader_{uuid.uuid4().hex[:12]}", database_of(postgres_workspace)
        postgres_workspace.execute(
            f"CREATE ROLE {role} LOGIN PASSWORD 'sesame' IN ROLE {GUARDED};"
            f" GRANT CREATE ON DATABASE {database} TO {role}"
        )
        yield role
        postgres_workspace.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")

    def loads(self, space: SimulatedSpace, workspace: Workspace, url: str, **env: str) -> None:
        env["DESTINATION__POSTGRES__CREDENTIALS"] = url
        for command in ("run", "check"):
            done = workspace.command(command, space=space, **env)
            assert done.returncode == 0, done.stdout + done.stderr
            assert "sesame" not in done.stdout + done.stderr
        assert workspace.orders() == true_orders(space)

    def test_in_a_password_file(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        guarded: str,
    ) -> None:
        file = _secret(postgres_workspace.folder / "pass", f"*:*:*:{guarded}:sesame\n")
        url = f"postgresql://{guarded}@127.0.0.1:{postgres.port}/{database_of(postgres_workspace)}"
        self.loads(space, postgres_workspace, url, PGPASSFILE=str(file))

    def test_at_home(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        guarded: str,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        home = postgres_workspace.folder / "home"
        home.mkdir()
        _secret(home / ".pgpass", f"127.0.0.1:{postgres.port}:*:{guarded}:sesame\n")
        parts = {
            "HOST": "127.0.0.1",
            "PORT": str(postgres.port),
            "USERNAME": guarded,
            "DATABASE": database_of(postgres_workspace),
        }
        monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
        del postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"]
        environment = {f"DESTINATION__POSTGRES__CREDENTIALS__{k}": v for k, v in parts.items()}
        done = postgres_workspace.command(
            "run", "--quiet", space=space, HOME=str(home), **environment
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert postgres_workspace.orders() == true_orders(space)

    def test_in_a_service_file(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        guarded: str,
    ) -> None:
        lines = (
            "[orders]", "host=127.0.0.1", f"port={postgres.port}", f"user={guarded}",
            f"dbname={database_of(postgres_workspace)}", "password=sesame", "",
        )  # fmt: skip
        file = _secret(postgres_workspace.folder / "services", "\n".join(lines))
        self.loads(
            space, postgres_workspace, "postgresql:///?service=orders", PGSERVICEFILE=str(file)
        )

    def test_in_the_environment(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        guarded: str,
    ) -> None:
        self.loads(
            space, postgres_workspace, f"postgresql:///{database_of(postgres_workspace)}",
            PGHOST="127.0.0.1", PGPORT=str(postgres.port), PGUSER=guarded, PGPASSWORD="sesame",
        )  # fmt: skip

    @pytest.mark.parametrize("how", ["query", "variable"])
    def test_of_the_systems_user(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        how: str,
    ) -> None:
        user, database = getpass.getuser(), database_of(postgres_workspace)
        postgres_workspace.execute(
            f'CREATE ROLE "{user}" LOGIN IN ROLE {GUARDED};'
            f' GRANT CREATE ON DATABASE {database} TO "{user}"'
        )
        folder, port = postgres.socket_folder, postgres.port
        try:
            if how == "query":
                url = f"postgresql:///{database}?host={folder}&port={port}"
                self.loads(space, postgres_workspace, url)
            else:
                url = f"postgresql:///{database}"
                self.loads(space, postgres_workspace, url, PGHOST=str(folder), PGPORT=str(port))
        finally:
            postgres_workspace.execute(f'DROP OWNED BY "{user}"; DROP ROLE "{user}"')

    def test_that_is_missing(
        self,
        space: SimulatedSpace,
        postgres: PostgresServer,
        postgres_workspace: Workspace,
        guarded: str,
    ) -> None:
        url = f"postgresql://{guarded}@127.0.0.1:{postgres.port}/{database_of(postgres_workspace)}"
        done = postgres_workspace.command(
            "run", "--quiet", space=space, DESTINATION__POSTGRES__CREDENTIALS=url,
            HOME=str(postgres_workspace.folder),
        )  # fmt: skip
        assert done.returncode == 1
        assert "no password supplied" in done.stderr

    @pytest.mark.parametrize("only", [{}, {"PASSWORD": "sesame"}, {"DATABASE": "orders"}])
    def test_of_no_server(
        self,
        space: SimulatedSpace,
        postgres_workspace: Workspace,
        only: dict[str, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.delenv("DESTINATION__POSTGRES__CREDENTIALS")
        del postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"]
        environment = {f"DESTINATION__POSTGRES__CREDENTIALS__{k}": v for k, v in only.items()}
        for name in ("PGHOST", "PGUSER", "PGSERVICE"):
            monkeypatch.delenv(name, raising=False)
        for command in (("run", "--quiet"), ("check",), ("query", "SELECT 1")):
            done = postgres_workspace.command(*command, space=space, **environment)
            assert done.returncode == 2
            assert re.match(
                r"signalwire-orders: missing: .*destination\.postgres\.credentials\.host",
                done.stderr,
            )
            assert "sesame" not in done.stderr


def _secret(path: Path, text: str) -> Path:
    """A file that only its owner may read, or libpq passes it over."""
    path.write_text(text)
    path.chmod(0o600)
    return path
