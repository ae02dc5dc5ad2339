"""A simulated space per test, with a clock that stands still, read over real HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest
import requests

from sources.simulator import Clock, SimulatedSpace

START = datetime(2024, 7, 29, 12, 0, 0, tzinfo=timezone.utc)
REGISTRY = "/api/relay/rest/registry/beta"


class Api:
    """A client as simple as can be: one connection, no retries."""

    def __init__(self, space: SimulatedSpace) -> None:
        self.space = space
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.auth = space.auth

    def get(self, path: str, **params: Any) -> requests.Response:
        """GET a path below the registry, or a link as the API gave it."""
        url = path if path.startswith("http") else self.space.url + path
        if not path.startswith(("/api", "http")):
            url = self.space.url + REGISTRY + path
        return self.session.get(url, params=params, timeout=10)

    def pages(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """The pages of a list, by its links."""
        page = self.get(path, **params).json()
        yield page
        while "next" in page["links"]:
            page = self.get(page["links"]["next"]).json()
            yield page

    def walk(self, path: str, **params: Any) -> list[Any]:
        """The rows of all pages."""
        return [row for page in self.pages(path, **params) for row in page["data"]]


@pytest.fixture
def open_space() -> Iterator[Callable[..., SimulatedSpace]]:
    """Start spaces that are stopped after the test; by default two campaigns of 12 orders."""
    spaces: list[SimulatedSpace] = []

    def start(**settings: Any) -> SimulatedSpace:
        settings.setdefault("clock", Clock(START, speed=0))
        scale = {"brands": 1, "campaigns": 2, "orders": 12, "numbers": 2}
        space = SimulatedSpace(**{**scale, **settings})
        spaces.append(space)
        space.start()
        return space

    yield start
    for space in spaces:
        space.stop()


@pytest.fixture
def open_api() -> Iterator[Callable[[SimulatedSpace], Api]]:
    """Clients that are closed after the test."""
    clients: list[Api] = []

    def connect(space: SimulatedSpace) -> Api:
        clients.append(Api(space))
        return clients[-1]

    yield connect
    for client in clients:
        client.session.close()


@pytest.fixture
def space(open_space: Callable[..., SimulatedSpace]) -> SimulatedSpace:
    return open_space()


@pytest.fixture
def api(space: SimulatedSpace, open_api: Callable[[SimulatedSpace], Api]) -> Api:
    return open_api(space)


@pytest.fixture
def brand_id(space: SimulatedSpace) -> str:
    return str(space.world.truth_brands()[0]["id"])


@pytest.fixture
def campaign_id(space: SimulatedSpace) -> str:
    return str(space.world.truth_campaigns()[0][1]["id"])


@pytest.fixture
def orders_path(campaign_id: str) -> str:
    return f"/campaigns/{campaign_id}/orders"
