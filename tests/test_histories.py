"""Exact after any history: random ones, played against the real thing over real HTTP.

`make test` plays a few, `make proof` some hundreds, `make soak` as many as you like.
A failure prints the shortest history that fails, and the seed.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from support import START, Workspace
from support.contenders import Contender, declarative, one_cursor, per_parent, wrong_orders
from support.histories import Player
from support.history_steps import Step, histories
from support.postgres_server import PostgresServer

from sources.simulator import Clock, SimulatedSpace

# in how many parts the histories are played, so that they can be played at the same time
PARTS = 8
# how many `make test` plays
FEW = 3
HISTORIES = int(os.environ.get("HISTORIES", "184"))
ON_POSTGRES = int(os.environ.get("HISTORIES_ON_POSTGRES", "16"))
SEED = int(os.environ.get("SEED", "0"))

# a history takes a second or two, and the same ones are drawn again by their number alone
PATIENT = settings(
    deadline=None,
    database=None,
    print_blob=True,
    # explaining a failure traces every line, which makes a history take minutes
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


# where there is one, a file system in memory: a history makes and removes some hundred folders
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


@contextmanager
def world_of(number: int, campaigns: int = 2) -> Iterator[tuple[SimulatedSpace, Path]]:
    """A small space that lives, and an empty folder."""
    clock = Clock(START, speed=0)
    with (
        tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder,
        SimulatedSpace(
            seed=number, brands=1, campaigns=campaigns, orders=5, clock=clock, arrivals_per_day=2
        ) as space,
    ):
        yield space, Path(folder)


def play(steps: list[Step], world: int, new_database: Callable[[], str] | None) -> None:
    """One history, from an empty folder to the comparison of whole rows."""
    with world_of(world) as (space, folder):
        workspace = Workspace(folder, new_database() if new_database else None)
        # views change no row, and would be most of what a first run here takes; nor do waits
        environment = workspace.environment | {
            "REPORTS__APPLY": "false",
            "SOURCES__SIGNALWIRE__REQUEST_BACKOFF_FACTOR": "0.001",
            "SOURCES__SIGNALWIRE__REQUEST_MAX_RETRY_DELAY": "0.005",
        }
        with mock.patch.dict(os.environ, environment), workspace.kept_open():
            player = Player(space, workspace)
            player.play(steps)
            player.settle()


def drawn(number: int, count: int, new_database: Callable[[], str] | None = None) -> None:
    """Draws and plays `count` histories, the same ones for the same number."""

    @seed(SEED * 1_000 + number)
    @settings(PATIENT, max_examples=count)
    @given(steps=histories, world=st.integers(1, 5))
    def any_history(steps: list[Step], world: int) -> None:
        # in a thread of its own, as it may be in Airflow; below the many frames of pytest and
        # hypothesis, Python spends a quarter of the time on memory for the next one
        with ThreadPoolExecutor(1) as thread:
            thread.submit(play, steps, world, new_database).result()

    any_history()


@pytest.mark.proof
@pytest.mark.parametrize(
    "contender", [declarative, per_parent, one_cursor], ids=lambda c: c.__name__
)
@pytest.mark.filterwarnings("ignore")  # what others warn of is theirs
def test_the_same_histories_tell_others_apart(
    contender: Contender, record_property: Callable[[str, object], None]
) -> None:
    """The harness can fail: what people write instead loses orders in these very histories."""
    wrong: list[int] = []

    @seed(SEED * 1_000)
    @settings(PATIENT, max_examples=12, phases=[Phase.generate])
    @given(steps=histories, world=st.integers(1, 5))
    def any_history(steps: list[Step], world: int) -> None:
        with world_of(world, campaigns=5) as (space, folder):
            player = Player(space, Workspace(folder))
            player.play_with(steps, lambda: contender(space, folder))
            wrong.append(wrong_orders(space, folder))

    any_history()
    record_property("orders lost or stale", sum(wrong))
    print(f"{contender.__name__}: {sum(wrong)} orders lost or stale in {len(wrong)} histories")
    assert sum(wrong) > 0


def test_a_few_histories() -> None:
    drawn(200, FEW)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(PARTS))
def test_any_history_on_duckdb(part: int) -> None:
    drawn(part, HISTORIES // PARTS)


@pytest.mark.proof
@pytest.mark.parametrize("part", range(2))
def test_any_history_on_postgres(part: int, postgres: PostgresServer) -> None:
    drawn(100 + part, ON_POSTGRES // 2, postgres.new_database)
