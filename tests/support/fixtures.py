"""Fixtures that the tests with and without Airflow share: a server, and a user's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres_server import PostgresServer, running_server
from support.workspace import Workspace


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for all tests of this process, started when the first one asks."""
    with running_server() as server:
        yield server


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A user's folder, for runs in this process and in others, with DuckDB."""
    return Workspace(tmp_path).prepared(monkeypatch)


@pytest.fixture
def postgres_workspace(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Workspace:
    """The same with PostgreSQL."""
    return Workspace(tmp_path, postgres.new_database()).prepared(monkeypatch)
