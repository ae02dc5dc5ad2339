"""What the tests share: a folder as a user would have one, and the truth to compare with."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg2
import pytest

from support.at_call import Action, at_call
from support.forked import can_be_forked
from support.forked import command as forked_command

if TYPE_CHECKING:
    from sources.simulator import SimulatedSpace

# when a simulated space that stands still has its present
START = datetime(2026, 3, 2, 12, 0, 0, tzinfo=timezone.utc)
ROOT = Path(__file__).resolve().parents[2]
# how a command is started by a user who is not root, and owns the same files
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()


class Workspace:
    """A user's folder, with its settings, its database and dlt's data kept inside."""

    # what drops the views on a table too
    cascade = " CASCADE"

    def __init__(self, folder: Path, postgres_url: str | None = None) -> None:
        self.folder = folder
        self.database = folder / "signalwire_orders.duckdb"
        self.postgres_url = postgres_url
        self.destination = "postgres" if postgres_url else "duckdb"
        self._held: Any = None
        self.environment = {
            "DLT_DATA_DIR": str(folder / "data"),
            "DLT_PROJECT_DIR": str(folder),
            "DESTINATION__DUCKDB__CREDENTIALS": str(self.database),
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": self.destination,
            # tests wait for no longer than they must
            "SOURCES__SIGNALWIRE__REQUEST_BACKOFF_FACTOR": "0.01",
            "SOURCES__SIGNALWIRE__REQUEST_MAX_RETRY_DELAY": "0.05",
        }
        if postgres_url:
            self.environment["DESTINATION__POSTGRES__CREDENTIALS"] = postgres_url

    def prepared(self, monkeypatch: pytest.MonkeyPatch) -> Workspace:
        """The same, with its settings in this process's environment."""
        for name, value in self.environment.items():
            monkeypatch.setenv(name, value)
        return self

    def credentials(self, space: SimulatedSpace) -> dict[str, str]:
        """The environment variables that point at a space."""
        return {
            "SOURCES__SIGNALWIRE__SPACE": space.url,
            "SOURCES__SIGNALWIRE__PROJECT_ID": space.project_id,
            "SOURCES__SIGNALWIRE__API_TOKEN": space.api_token,
        }

    def run(self, space: SimulatedSpace, **settings: Any) -> Any:
        """One run in this process, as the command line and Airflow start it."""
        from pipelines.signalwire_orders import run

        return run(
            space=space.url, project_id=space.project_id, api_token=space.api_token, **settings
        )

    def leave_package(
        self, space: SimulatedSpace, machine: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A run with its working directory in `machine`, gone after it has read."""
        with monkeypatch.context() as patch:
            patch.setenv("DLT_DATA_DIR", str(machine))
            self.leave_package_here(space)

    def leave_package_here(
        self, space: SimulatedSpace, step: str = "dlt.pipeline.pipeline:Pipeline.normalize"
    ) -> None:
        """A run that ends when it has read, or at another step."""

        class Ended(BaseException):
            pass

        def end() -> None:
            raise Ended

        with at_call(step, 1, end), suppress(Ended):
            self.run(space)
            raise AssertionError("the run did not end")

    def command(
        self,
        *arguments: str,
        space: SimulatedSpace | None = None,
        program: Sequence[str] = (),
        at: tuple[str, int, Action] | None = None,
        **environment: str,
    ) -> subprocess.CompletedProcess[str]:
        """The real command in a process of its own, in this folder.

        `program` starts it; `at` is what happens at a certain call in it, as `at_call` takes it.
        """
        variables = {k: v for k, v in os.environ.items() if not k.startswith("SOURCES__")}
        variables |= self.environment
        variables |= self.credentials(space) if space else {}
        variables |= environment
        if not program and can_be_forked(variables):
            return forked_command(arguments, self.folder, variables, at)
        return subprocess.run(
            [*program, sys.executable, "-m", "pipelines", *arguments],
            cwd=self.folder,
            env=variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with times in UTC."""
        with closing(self._connection()) as connection:
            cursor = connection.cursor()
            cursor.execute("SET TimeZone = 'UTC'")
            cursor.execute("SET search_path = 'signalwire'")
            cursor.execute(sql)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str) -> None:
        """What somebody does to the database behind our back."""
        if self.postgres_url:
            with closing(psycopg2.connect(self.postgres_url)) as connection:
                connection.autocommit = True
                connection.cursor().execute(sql)
        else:
            with duckdb.connect(str(self.database)) as connection:
                connection.execute(sql)

    def qualified(self, table: str) -> str:
        """A table of the dataset, as a statement for `execute` names it."""
        return f"signalwire.{table}"

    def drop(self, table: str) -> None:
        """Drops a table, and what depends on it."""
        self.execute(f"DROP TABLE {self.qualified(table)}{self.cascade}")

    def drop_column(self, table: str, column: str) -> None:
        """Drops a column, and what depends on it."""
        sql = f"ALTER TABLE {self.qualified(table)} DROP COLUMN {column}{self.cascade}"
        self.execute(sql)

    def orders(self) -> list[dict[str, Any]]:
        """What the API served of the orders it still has."""
        return self.alive("orders")

    def alive(self, table: str) -> list[dict[str, Any]]:
        """What the API served of the records of a table that it still has."""
        rows = self.table(table)
        alive = [row for row in rows if row.pop("deleted_at") is None]
        for row in alive:
            del row["read_at"]
            row.pop("missing_since", None)
        return alive

    def table(self, name: str) -> list[dict[str, Any]]:
        """A table without dlt's own columns, by id."""
        rows = self.rows(f"SELECT * FROM {name}")
        for row in rows:
            del row["_dlt_load_id"]
        return sorted(rows, key=lambda row: str(row.get("id")))

    @contextmanager
    def kept_open(self) -> Iterator[None]:
        """Keeps a DuckDB file open in this process, where it then opens in no time."""
        if self.postgres_url:
            yield
            return
        with duckdb.connect(str(self.database)) as self._held:
            # threads cost more than they bring where tables hold a dozen rows
            self._held.execute("SET threads = 1")
            yield
        self._held = None

    def _connection(self) -> Any:
        if self.postgres_url:
            return psycopg2.connect(self.postgres_url)
        if self._held:
            return self._held.cursor()
        return duckdb.connect(str(self.database), read_only=True)


def instant(text: str | None) -> datetime | None:
    """A timestamp of the API, read independently of the source's own reading."""
    if not text:
        return None
    # before Python 3.11 fromisoformat takes neither Z nor a fraction of one digit
    text = re.sub(r"\.(\d{1,6})", lambda found: f".{found[1]:0<6}", text.replace("Z", "+00:00"))
    return datetime.fromisoformat(text)


def true_orders(space: SimulatedSpace) -> list[dict[str, Any]]:
    """The table `orders` as it has to be, from what the space would serve now."""
    rows = [
        {
            "id": record["id"],
            "campaign_id": campaign_id,
            "brand_id": brand_id,
            "state": record["state"],
            "processed_at": instant(record["processed_at"]),
            "created_at": instant(record["created_at"]),
            "updated_at": instant(record["updated_at"]),
            "status_callback_url": record["status_callback_url"],
        }
        for brand_id, campaign_id, record in space.world.truth_orders()
    ]
    return sorted(rows, key=lambda row: str(row["id"]))


def true_numbers(space: SimulatedSpace) -> list[dict[str, Any]]:
    """The table `number_assignments` as it has to be, from what the space would serve now."""
    rows = [
        {
            "id": record["id"],
            "campaign_id": campaign_id,
            "brand_id": brand_id,
            "state": record["state"],
            **{f"phone_number__{key}": value for key, value in record["phone_number"].items()},
            "created_at": instant(record["created_at"]),
            "updated_at": instant(record["updated_at"]),
        }
        for brand_id, campaign_id, record in space.world.truth_numbers()
    ]
    return sorted(rows, key=lambda row: str(row["id"]))


def as_json(value: Any) -> str:
    """JSON as the tables hold it: compact, with keys in order."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
