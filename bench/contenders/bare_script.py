"""The bare script: threads, `requests`, one parse of each page, one insert, and nothing else.

It keeps no state, merges nothing, tries nothing twice and trusts every answer: the least that a
program written for the purpose can do, and so the measure for the others.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import requests

SPACE = os.environ["BENCH_SPACE"]
AUTH = (os.environ["BENCH_PROJECT_ID"], os.environ["BENCH_API_TOKEN"])
REGISTRY = f"{SPACE}/api/relay/rest/registry/beta"
FIELDS = ("id", "state", "processed_at", "created_at", "updated_at", "status_callback_url")
TIMES = ("processed_at", "created_at", "updated_at")
local = threading.local()


def read(path: str) -> list[dict[str, Any]]:
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.auth = AUTH
    records: list[dict[str, Any]] = []
    url: str | None = f"{REGISTRY}{path}?page_size=1000"
    while url:
        response = local.session.get(url, timeout=60)
        response.raise_for_status()
        page = orjson.loads(response.content)
        records += page["data"]
        following = page["links"].get("next")
        url = f"{SPACE}{following}" if following else None
    return records


def orders_of(campaign: str) -> pa.Table:
    records = read(f"/campaigns/{campaign}/orders")
    columns = {name: pa.array([r.get(name) for r in records], pa.string()) for name in FIELDS}
    columns["campaign_id"] = pa.repeat(pa.scalar(campaign), len(records))
    return pa.table(columns)


def campaigns_of(brand: str) -> list[str]:
    return [record["id"] for record in read(f"/brands/{brand}/campaigns")]


with ThreadPoolExecutor(int(os.environ["BENCH_WORKERS"])) as pool:
    brands = [record["id"] for record in read("/brands")]
    campaigns = [c for found in pool.map(campaigns_of, brands) for c in found]
    read_orders = pa.concat_tables(pool.map(orders_of, campaigns))

with duckdb.connect(os.environ["BENCH_DATABASE"]) as database:
    database.execute("SET TimeZone = 'UTC'")
    times = ", ".join(f"{name}::TIMESTAMPTZ AS {name}" for name in TIMES)
    database.execute(f"CREATE TABLE orders AS SELECT * REPLACE ({times}) FROM read_orders")  # noqa: S608
