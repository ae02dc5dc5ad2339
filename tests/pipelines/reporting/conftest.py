"""Fixtures: databases with the tables and the views of a test module's `REPORTS`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from support.postgres_server import PostgresServer
from support.report_tables import DuckTables, PostgresTables


@pytest.fixture(scope="module")
def duck_tables(request: pytest.FixtureRequest) -> DuckTables:
    return DuckTables(request.module.REPORTS)


@pytest.fixture(scope="module")
def postgres_tables(
    request: pytest.FixtureRequest, postgres: PostgresServer
) -> Iterator[PostgresTables]:
    with closing(PostgresTables(postgres.new_database(), request.module.REPORTS)) as tables:
        yield tables
