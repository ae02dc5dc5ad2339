"""Fixtures: an Airflow of the tests' own, a simulated space over real HTTP, and a user's folder.

Airflow reads where its home is while it is imported, so that is settled here, before any test.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import ROOT

from sources.simulator import SimulatedSpace

pytest_plugins = ["support.fixtures"]
HOME = Path(tempfile.mkdtemp(prefix="airflow-"))
# nothing of whoever runs the tests counts
for name in [n for n in os.environ if n.startswith(("AIRFLOW", "SOURCES__", "DESTINATION__"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": str(HOME),
    "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
}


def pytest_unconfigure() -> None:
    shutil.rmtree(HOME)


@pytest.fixture(scope="session", autouse=True)
def metadata() -> None:
    """Airflow's database, a SQLite file in its home."""
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], check=True, stdout=subprocess.DEVNULL
    )


@pytest.fixture
def home() -> Path:
    """Airflow's home."""
    return HOME


@pytest.fixture
def space() -> Iterator[SimulatedSpace]:
    """A space of two brands with two campaigns of 12 orders."""
    with SimulatedSpace(brands=2, campaigns=2, orders=12) as space:
        yield space
