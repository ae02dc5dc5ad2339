"""Users' folders with destinations other than DuckDB and PostgreSQL."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import duckdb

from support.workspace import Workspace


class SqliteWorkspace(Workspace):
    """A user's folder, with SQLite through dlt's `sqlalchemy` as the destination."""

    cascade = ""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.destination = "sqlalchemy"
        self.database = folder / "orders__signalwire.sqlite"
        self.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "sqlalchemy",
            "DESTINATION__SQLALCHEMY__CREDENTIALS": f"sqlite:///{folder}/orders.sqlite",
        }

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with texts that are times as times."""
        with closing(sqlite3.connect(self.database)) as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description]
            return [
                {name: _as_time(name, value) for name, value in zip(names, row, strict=True)}
                for row in cursor
            ]

    def execute(self, sql: str) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.execute(sql)

    def qualified(self, table: str) -> str:
        return table


class MariaDBWorkspace(Workspace):
    """A user's folder, with MariaDB through dlt's `sqlalchemy` as the destination."""

    cascade = ""

    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self.destination = "sqlalchemy"
        self._port = int(url.rpartition("/")[0].rpartition(":")[2])
        self.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "sqlalchemy",
            "DESTINATION__SQLALCHEMY__CREDENTIALS": url,
        }

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with times in UTC."""
        with closing(self._connected("signalwire")) as connection, connection.cursor() as cursor:
            return _rows(cursor, sql)

    def execute(self, sql: str) -> None:
        with closing(self._connected()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)
            connection.commit()

    def _connected(self, database: str | None = None) -> Any:
        import pymysql  # only where MariaDB is tested

        return pymysql.connect(
            host="127.0.0.1", port=self._port, user="root", database=database, charset="utf8mb4"
        )


class DuckLakeWorkspace(Workspace):
    """A user's folder, with a lake: files in the folder, the catalog in SQLite or PostgreSQL."""

    cascade = ""

    def __init__(self, folder: Path, catalog: str | None = None) -> None:
        super().__init__(folder)
        self.destination = "ducklake"
        self._catalog = catalog or f"sqlite:///{folder}/lake.sqlite"
        self.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "ducklake",
            "DESTINATION__DUCKLAKE__CREDENTIALS__CATALOG": self._catalog,
            "DESTINATION__DUCKLAKE__CREDENTIALS__STORAGE__BUCKET_URL": f"file://{folder}/files",
        }

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with times in UTC."""
        with self._attached() as connection:
            connection.execute("SET TimeZone = 'UTC'; SET search_path = 'lake.signalwire'")
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str) -> None:
        with self._attached() as connection:
            connection.execute("USE lake")
            connection.execute(sql)

    @contextmanager
    def _attached(self) -> Iterator[duckdb.DuckDBPyConnection]:
        options = f"DATA_PATH '{self.folder}/files'"
        if self._catalog.startswith("sqlite"):
            where = self._catalog.removeprefix("sqlite:///")
            options += ", META_TYPE 'sqlite'"
        else:
            where = self._catalog.replace("postgresql://", "postgres:postgresql://")
            options += ", METADATA_SCHEMA 'ducklake'"
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH 'ducklake:{where}' AS lake ({options})")
            yield connection
            connection.execute("USE memory; DETACH lake")


class SnowflakeWorkspace(Workspace):
    """A user's folder, with a database of an account that a server on loopback makes believe."""

    cascade = ""

    def __init__(self, folder: Path, port: int, database: str) -> None:
        super().__init__(folder)
        self.destination = "snowflake"
        self._account = {
            "host": "127.0.0.1", "port": port, "protocol": "http", "account": "local",
            "user": "loader", "password": "secret", "database": database,
        }  # fmt: skip
        self.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "snowflake",
            "DESTINATION__SNOWFLAKE__CREDENTIALS": (
                f"snowflake://loader:secret@local/{database}"
                f"?host=127.0.0.1&port={port}&protocol=http"
            ),
        }

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with times in UTC and names in lower case."""
        with closing(self._connected()) as connection, connection.cursor() as cursor:
            return _rows(cursor, sql)

    def execute(self, sql: str) -> None:
        with closing(self._connected()) as connection, connection.cursor() as cursor:
            cursor.execute(sql)

    def _connected(self) -> Any:
        import snowflake.connector  # only where Snowflake is tested

        return snowflake.connector.connect(**self._account, schema="SIGNALWIRE", timezone="UTC")


class DeltaWorkspace(Workspace):
    """A user's folder, with Delta tables in another folder in it."""

    cascade = ""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.destination = "filesystem"
        self.dataset = folder / "lake" / "signalwire"
        self.environment |= {
            "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "filesystem",
            "DESTINATION__FILESYSTEM__BUCKET_URL": str(folder / "lake"),
        }

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """What a query returns, with times in UTC."""
        with self._in_memory() as connection:
            cursor = connection.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def execute(self, sql: str) -> None:
        """What a statement does to the tables, written back as another program might."""
        from deltalake import write_deltalake  # only where Delta is tested

        with self._in_memory() as connection:
            connection.execute(sql)
            for name in self._names():
                rows = connection.sql(f"FROM signalwire.{name}").to_arrow_table()
                if not name.startswith("_dlt"):
                    place = self.dataset / name
                    write_deltalake(place, rows, mode="overwrite", schema_mode="overwrite")
                    continue
                for number, row in enumerate(rows.to_pylist()):
                    owner = row.get("schema_name") or row["pipeline_name"]
                    told = f"{owner}__{number}__{row.get('version_hash', '')}.jsonl"
                    if owner == "theirs":
                        text = json.dumps(row, default=str) + "\n"
                        (self.dataset / name / told).write_text(text)

    def drop(self, table: str) -> None:
        shutil.rmtree(self.dataset / table)

    def _names(self) -> list[str]:
        return [path.name for path in self.dataset.iterdir() if path.is_dir()]

    @contextmanager
    def _in_memory(self) -> Iterator[duckdb.DuckDBPyConnection]:
        from deltalake import DeltaTable  # likewise

        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA signalwire")
            connection.execute("SET search_path = 'signalwire'")
            for name in self._names():
                if name.startswith("_dlt"):
                    files = f"read_json('{self.dataset / name}/*.jsonl', union_by_name = true)"
                    # as dlt's other destinations have them
                    first = "version, engine_version, inserted_at, schema_name, version_hash"
                    order = f"{first}, * EXCLUDE ({first})" if name == "_dlt_version" else "*"
                    rows = f"(SELECT {order} FROM {files})"
                else:
                    connection.register("delta", DeltaTable(self.dataset / name).to_pyarrow_table())
                    rows = "delta"
                connection.execute(f"CREATE TABLE signalwire.{name} AS FROM {rows}")
            yield connection


def _rows(cursor: Any, sql: str) -> list[dict[str, Any]]:
    cursor.execute(sql)
    names = [column[0].lower() for column in cursor.description]
    return [
        {name: _in_utc(value) for name, value in zip(names, row, strict=True)}
        for row in cursor.fetchall()
    ]


def _in_utc(value: Any) -> Any:
    return value.replace(tzinfo=timezone.utc) if isinstance(value, datetime) else value


def _as_time(name: str, value: Any) -> Any:
    if not name.endswith("_at") or value is None:
        return value
    return datetime.fromisoformat(value).replace(tzinfo=timezone.utc)
