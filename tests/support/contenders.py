"""What people write instead, to see that the histories can tell the difference.

Both load into DuckDB with dlt and its incremental argument on `updated_at`; neither is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dlt
import duckdb
import requests
from dlt.sources.rest_api import rest_api_source

from sources.simulator import SimulatedSpace
from support.workspace import instant

REGISTRY = "/api/relay/rest/registry/beta"
BEGINNING = "1970-01-01T00:00:00Z"
Contender = Callable[[SimulatedSpace, Path], None]


def declarative(space: SimulatedSpace, folder: Path) -> None:
    """dlt's own REST source: brands, campaigns, orders, incremental on the orders."""
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{space.url}{REGISTRY}/",
                "auth": {
                    "type": "http_basic",
                    "username": space.project_id,
                    "password": space.api_token,
                },
                "paginator": {"type": "json_link", "next_url_path": "links.next"},
            },
            "resource_defaults": {
                "primary_key": "id",
                "write_disposition": "merge",
                "endpoint": {"data_selector": "data", "params": {"page_size": 1000}},
            },
            "resources": [
                {"name": "brands", "endpoint": {"path": "brands"}},
                {
                    "name": "campaigns",
                    "endpoint": {"path": "brands/{resources.brands.id}/campaigns"},
                },
                {
                    "name": "orders",
                    "endpoint": {
                        "path": "campaigns/{resources.campaigns.id}/orders",
                        # the API has no such filter and ignores it; dlt filters what comes back
                        "params": {"updated_since": "{incremental.start_value}"},
                        "incremental": {"cursor_path": "updated_at", "initial_value": BEGINNING},
                    },
                },
            ],
        }
    )
    _pipeline(folder).run(source)


def per_parent(space: SimulatedSpace, folder: Path) -> None:
    """The incremental argument in a transformer, a campaign at a time."""

    @dlt.resource(selected=False)
    def campaigns() -> Iterator[Any]:
        for brand in _list(space, "/brands"):
            yield from _list(space, f"/brands/{brand['id']}/campaigns")

    @dlt.transformer(
        data_from=campaigns, name="orders", primary_key="id", write_disposition="merge"
    )
    def orders(
        campaign: Any,
        updated_at: Any = dlt.sources.incremental("updated_at", initial_value=BEGINNING),  # noqa: B008
    ) -> Iterator[Any]:
        yield list(_list(space, f"/campaigns/{campaign['id']}/orders"))

    _pipeline(folder).run(orders)


def one_cursor(space: SimulatedSpace, folder: Path) -> None:
    """One maximum of `updated_at` over the walk of all campaigns."""

    @dlt.resource(name="orders", primary_key="id", write_disposition="merge")
    def orders(
        updated_at: Any = dlt.sources.incremental("updated_at", initial_value=BEGINNING),  # noqa: B008
    ) -> Iterator[Any]:
        for brand in _list(space, "/brands"):
            for campaign in _list(space, f"/brands/{brand['id']}/campaigns"):
                yield from _list(space, f"/campaigns/{campaign['id']}/orders")

    _pipeline(folder).run(orders)


def wrong_orders(space: SimulatedSpace, folder: Path) -> int:
    """How many orders of the space are missing from the contender's table, or are stale in it."""
    columns = ("state", "created_at", "updated_at", "processed_at")
    with duckdb.connect(str(folder / "contender.duckdb"), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        tables = {row[0] for row in connection.execute("SHOW ALL TABLES").fetchall()}
        loaded: dict[str, Any] = {}
        if tables:
            columns_there = "id, state, created_at, updated_at, COLUMNS('^processed_at$')"
            found = connection.execute(f"SELECT {columns_there} FROM data.orders").fetchall()
            loaded = {row[0]: row[1:] for row in found}
    truth = {
        record["id"]: tuple(
            record[name] if name == "state" else instant(record[name]) for name in columns
        )
        for _, _, record in space.world.truth_orders()
    }
    return sum(1 for order_id, row in truth.items() if loaded.get(order_id) != row)


def _list(space: SimulatedSpace, path: str) -> Iterator[Any]:
    url: str | None = f"{space.url}{REGISTRY}{path}?page_size=1000"
    while url:
        answer = requests.get(url, auth=space.auth, timeout=10)
        answer.raise_for_status()
        page = answer.json()
        yield from page["data"]
        following = page["links"].get("next")
        url = f"{space.url}{following}" if following else None


def _pipeline(folder: Path) -> Any:
    return dlt.pipeline(
        "contender",
        pipelines_dir=str(folder / "contender"),
        destination=dlt.destinations.duckdb(str(folder / "contender.duckdb")),
        dataset_name="data",
    )
