"""What is compared: programs that load every order of a space into a DuckDB file.

Each runs as a process of its own and is told by environment variables where the space is
(BENCH_SPACE, BENCH_PROJECT_ID, BENCH_API_TOKEN), how many requests it may send at a time
(BENCH_WORKERS) and which file is to hold the result (BENCH_DATABASE).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sources.simulator import SimulatedSpace

# requests at a time
WORKERS = 32
HERE = Path(__file__).parent
PEERS = HERE.parent / "peers"
# made by `make bench-peers`
ENVIRONMENTS = HERE.parent.parent / ".cache" / "peers"

# where this project puts its tables, unless it is told otherwise
DATABASE = "signalwire_orders.duckdb"


class Contender(NamedTuple):
    """One of them: its command, the table of its database that has the orders, and settings."""

    name: str
    command: list[str]
    table: str
    settings: Mapping[str, str] = {}


def _ours(script: str) -> list[str]:
    return [sys.executable, str(HERE / script)]


def _peer(name: str, *arguments: str) -> list[str]:
    python = ENVIRONMENTS / name / "bin" / "python"
    return [str(python), str(PEERS / name / "run.py"), *arguments]


BARE = Contender("bare script", _ours("bare_script.py"), "main.orders")
PROJECT = Contender(
    "**this project**",
    [sys.executable, "-m", "pipelines", "run", "--quiet"],
    "signalwire.orders",
)


def always(number: int) -> Contender:
    """This project with so many requests at a time, whatever the server does."""
    settings = {
        "SOURCES__SIGNALWIRE__WORKERS": str(number),
        "SOURCES__SIGNALWIRE__ADAPT_WORKERS": "false",
    }
    return PROJECT._replace(name=f"this project, always {number} at a time", settings=settings)


FIXED = always(WORKERS)
TUNED = Contender("dlt `rest_api`, tuned", [*_ours("rest_api.py"), "tuned"], "data.orders")
PLAIN = Contender("dlt `rest_api`, as documented", _ours("rest_api.py"), "data.orders")
AIRBYTE = Contender("PyAirbyte, low-code source", _peer("airbyte"), "main.orders")
SINGER = Contender("Singer, SDK's child streams", _peer("singer"), "main.orders")
SINGER_THREADS = Contender(
    "Singer, threads of our own in the tap", _peer("singer", "threads"), "main.orders"
)


def environment(
    space: SimulatedSpace, url: str, folder: Path, contender: Contender
) -> dict[str, str]:
    """The variables that tell a contender what it needs to know, with its settings."""
    return {
        "BENCH_SPACE": url,
        "BENCH_PROJECT_ID": space.project_id,
        "BENCH_API_TOKEN": space.api_token,
        "BENCH_WORKERS": str(WORKERS),
        "BENCH_DATABASE": str(folder / DATABASE),
        "SOURCES__SIGNALWIRE__SPACE": url,
        "SOURCES__SIGNALWIRE__PROJECT_ID": space.project_id,
        "SOURCES__SIGNALWIRE__API_TOKEN": space.api_token,
        "DLT_DATA_DIR": str(folder / "data"),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        **contender.settings,
    }
