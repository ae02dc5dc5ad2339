"""dlt's own `rest_api` source, as its documentation shows it; `tuned` with all that makes it quick.

Tuned: all resources read in parallel, as many at a time as the others may; rows written as Parquet
by a writer with large buffers; tables replaced instead of merged, which a first load can do with.
"""

from __future__ import annotations

import os
import sys
from typing import Any

TUNED = sys.argv[1:] == ["tuned"]
if TUNED:
    # dlt reads its settings when it is imported
    os.environ |= {
        "EXTRACT__WORKERS": os.environ["BENCH_WORKERS"],
        "EXTRACT__MAX_PARALLEL_ITEMS": os.environ["BENCH_WORKERS"],
        "EXTRACT__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
        "NORMALIZE__DATA_WRITER__BUFFER_MAX_ITEMS": "50000",
        "NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS": "100000",
        "EXTRACT__DATA_WRITER__FILE_MAX_ITEMS": "100000",
        "NORMALIZE__WORKERS": "2",
    }

import dlt  # noqa: E402
from dlt.sources.rest_api import rest_api_source  # noqa: E402


def resource(name: str, path: str) -> Any:
    return {"name": name, "endpoint": {"path": path}, "parallelized": TUNED}


source = rest_api_source(
    {
        "client": {
            "base_url": f"{os.environ['BENCH_SPACE']}/api/relay/rest/registry/beta/",
            "auth": {
                "type": "http_basic",
                "username": os.environ["BENCH_PROJECT_ID"],
                "password": os.environ["BENCH_API_TOKEN"],
            },
            "paginator": {"type": "json_link", "next_url_path": "links.next"},
        },
        "resource_defaults": {
            "primary_key": "id",
            "write_disposition": "replace" if TUNED else "merge",
            "endpoint": {"data_selector": "data", "params": {"page_size": 1000}},
        },
        "resources": [
            resource("brands", "brands"),
            resource("campaigns", "brands/{resources.brands.id}/campaigns"),
            resource("orders", "campaigns/{resources.campaigns.id}/orders"),
        ],
    }
)
pipeline = dlt.pipeline(
    "contender",
    destination=dlt.destinations.duckdb(os.environ["BENCH_DATABASE"]),
    dataset_name="data",
)
options: dict[str, Any] = {"loader_file_format": "parquet"} if TUNED else {}
info = pipeline.run(source, **options)
info.raise_on_failed_jobs()
