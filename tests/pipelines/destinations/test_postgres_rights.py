"""What a role may do in PostgreSQL: it is enough, or it is said before anything is read."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator

import pytest
from support import Workspace, true_orders

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from sources.simulator import SimulatedSpace

pytestmark = pytest.mark.proof

SCHEMAS = ("signalwire", "signalwire_staging", "signalwire_reports")


def url_of(workspace: Workspace, role: str) -> str:
    """The URL under which a role reaches the workspace's database."""
    assert workspace.postgres_url
    return workspace.postgres_url.replace("postgres:none", f"{role}:none")


@pytest.fixture
def role(postgres_workspace: Workspace) -> Iterator[str]:
    """A role with no right of its own, as which the workspace's commands load."""
    name = f"loader_{uuid.uuid4().hex[:12]}"
    postgres_workspace.execute(f"CREATE ROLE {name} LOGIN")
    url = url_of(postgres_workspace, name)
    postgres_workspace.environment["DESTINATION__POSTGRES__CREDENTIALS"] = url
    yield name
    postgres_workspace.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


def database_of(workspace: Workspace) -> str:
    """The name of the workspace's database."""
    assert workspace.postgres_url
    return workspace.postgres_url.rpartition("/")[2]


class TestSchemas:
    """Made beforehand by an administrator, or by the role itself."""

    @pytest.mark.parametrize("how", ["owned", "granted"])
    def test_made_beforehand(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str, how: str
    ) -> None:
        # administrators take the right to make temporary tables away too
        database = database_of(postgres_workspace)
        postgres_workspace.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        postgres_workspace.execute(f"GRANT CONNECT ON DATABASE {database} TO {role}")
        for schema in SCHEMAS:
            postgres_workspace.execute(
                f"CREATE SCHEMA {schema} AUTHORIZATION {role}"
                if how == "owned"
                else f"CREATE SCHEMA {schema}; GRANT USAGE, CREATE ON SCHEMA {schema} TO {role}"
            )
        for days in (0, 2):
            space.clock.advance(days * 24 * 3600)
            for more in ((), ("--full",)):
                done = postgres_workspace.command("run", "--quiet", *more, space=space)
                assert (done.returncode, done.stderr) == (0, "")
            assert postgres_workspace.orders() == true_orders(space)
        assert postgres_workspace.command("report").returncode == 0
        checked = postgres_workspace.command("check", space=space)
        assert checked.returncode == 0, checked.stdout
        applied = postgres_workspace.command("reports", "apply")
        assert applied.returncode == 0, applied.stderr

    def test_made_by_a_role_that_may(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str
    ) -> None:
        database = database_of(postgres_workspace)
        postgres_workspace.execute(f"GRANT CREATE ON DATABASE {database} TO {role}")
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert (done.returncode, done.stderr) == (0, "")
        assert postgres_workspace.orders() == true_orders(space)

    def test_that_are_missing_are_named(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str
    ) -> None:
        for there, schema in enumerate(SCHEMAS):
            statements = [f'CREATE SCHEMA "{s}" AUTHORIZATION "{role}"' for s in SCHEMAS[there:]]
            said = f"As an administrator: {'; '.join(statements)}\n"
            checked = postgres_workspace.command("check", space=space)
            assert checked.returncode == 1
            assert said in checked.stdout
            space.journal.clear()
            done = postgres_workspace.command("run", "--quiet", space=space)
            assert done.returncode == 2
            assert said in done.stderr
            assert len(done.stderr.splitlines()) == 1
            assert space.journal.entries() == []
            postgres_workspace.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert (done.returncode, done.stderr) == (0, "")

    def test_of_the_reports_is_not_needed_without_reports(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str
    ) -> None:
        for schema in SCHEMAS[:2]:
            postgres_workspace.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
        done = postgres_workspace.command("run", "--quiet", space=space, REPORTS__APPLY="false")
        assert (done.returncode, done.stderr) == (0, "")
        assert postgres_workspace.orders() == true_orders(space)

    def test_that_the_role_may_not_use(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str
    ) -> None:
        for schema in SCHEMAS:
            postgres_workspace.execute(f"CREATE SCHEMA {schema}")
        postgres_workspace.execute(f"GRANT USAGE ON SCHEMA {SCHEMAS[0]} TO {role}")
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 2
        names = ", ".join(f'"{schema}"' for schema in SCHEMAS)
        statement = f'GRANT USAGE, CREATE ON SCHEMA {names} TO "{role}"'
        assert f"As an administrator: {statement}\n" in done.stderr
        assert space.journal.entries() == []
        postgres_workspace.execute(statement)
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert (done.returncode, done.stderr) == (0, "")

    def test_of_shards(
        self, space: SimulatedSpace, postgres_workspace: Workspace, role: str
    ) -> None:
        for schema in SCHEMAS:
            postgres_workspace.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {role}")
        done = postgres_workspace.command("run", "--quiet", "--shard", "1/2", space=space)
        assert done.returncode == 2
        statement = f'CREATE SCHEMA "signalwire_staging_1_of_2" AUTHORIZATION "{role}"'
        assert f"As an administrator: {statement}\n" in done.stderr


class TestTables:
    """That another role made."""

    @pytest.fixture
    def loaded(self, space: SimulatedSpace, postgres_workspace: Workspace, role: str) -> str:
        """The role that loads, while all that is there belongs to an administrator."""
        postgres_workspace.run(space)
        for schema in SCHEMAS:
            postgres_workspace.execute(f"GRANT ALL ON SCHEMA {schema} TO {role}")
        return role

    def test_without_a_right(
        self, space: SimulatedSpace, postgres_workspace: Workspace, loaded: str
    ) -> None:
        read = len(space.journal.entries())
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 2
        assert f'GRANT "postgres" TO "{loaded}"\n' in done.stderr
        assert len(space.journal.entries()) == read

    def test_with_all_rights(
        self, space: SimulatedSpace, postgres_workspace: Workspace, loaded: str
    ) -> None:
        for schema in SCHEMAS:
            postgres_workspace.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA {schema} TO {loaded}")
        space.clock.advance(2 * 24 * 3600)
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert (done.returncode, done.stderr) == (0, "")
        assert postgres_workspace.orders() == true_orders(space)
        # only an owner may make an index
        postgres_workspace.execute("DROP INDEX signalwire.orders_key")
        done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 1
        assert "must be owner of table orders" in done.stderr
        assert "the role that owns them" in done.stderr


class TestRunUnderAnotherRole:
    """The server hides most of a session from other roles."""

    @pytest.fixture(autouse=True)
    def creator(self, postgres_workspace: Workspace, role: str) -> None:
        """The role may make the schemas."""
        database = database_of(postgres_workspace)
        postgres_workspace.execute(f"GRANT CREATE ON DATABASE {database} TO {role}")

    def test_is_busy(self, space: SimulatedSpace, postgres_workspace: Workspace) -> None:
        with exclusive(find_target(), 0):
            done = postgres_workspace.command("run", "--quiet", space=space)
        assert done.returncode == 4
        assert f"signalwire-orders pid {os.getpid()} on" in done.stderr
        assert "as the role postgres;" in done.stderr
        assert space.journal.entries() == []

    def test_waits(self, space: SimulatedSpace, postgres_workspace: Workspace) -> None:
        environment = os.environ | postgres_workspace.environment
        with exclusive(find_target(), 0):
            run = subprocess.Popen(
                [sys.executable, "-m", "pipelines", "run", "--wait", "60"],
                cwd=postgres_workspace.folder,
                env=environment | postgres_workspace.credentials(space),
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                text=True,
            )
            assert run.stderr
            assert "waiting for another run: signalwire-orders pid" in run.stderr.readline()
        _, said = run.communicate(timeout=60)
        assert run.returncode == 0, said
        assert postgres_workspace.orders() == true_orders(space)


def test_a_database_that_takes_no_changes(
    space: SimulatedSpace, postgres_workspace: Workspace
) -> None:
    database = database_of(postgres_workspace)
    postgres_workspace.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    done = postgres_workspace.command("run", "--quiet", space=space)
    assert done.returncode == 2
    assert "takes no changes" in done.stderr
    assert space.journal.entries() == []


def test_a_role_that_only_reads(
    space: SimulatedSpace, postgres_workspace: Workspace, role: str
) -> None:
    postgres_workspace.run(space)
    for schema in (SCHEMAS[0], SCHEMAS[2]):
        postgres_workspace.execute(
            f"GRANT USAGE ON SCHEMA {schema} TO {role};"
            f" GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
        )
    for command in (("query", "SELECT 1"), ("report",), ("publish", "copy.duckdb")):
        done = postgres_workspace.command(*command)
        assert done.returncode == 0, done.stderr
    assert (postgres_workspace.folder / "copy.duckdb").exists()
