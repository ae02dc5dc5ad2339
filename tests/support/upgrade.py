"""The upgrade fixtures: how they are restored, and the story of the space that they come from.

The previous version loaded the first two chapters, and was interrupted while it loaded the third.
The test tells the same story again, so that the space is where the fixtures left it. A chapter
may therefore never change; new ones come behind.
"""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from pathlib import Path
from typing import Any

from support.postgres_server import PostgresServer
from support.workspace import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "upgrade"
SCALE = {"brands": 2, "campaigns": 2, "orders": 12}


def beginning(space: Any) -> None:
    """Orders in every state, and in one that is not documented."""
    for campaign_id in _campaigns(space):
        for state in ("pending", "pending", "processing", "failed", "reviewing"):
            space.world.add_order(campaign_id, state=state)


def changes(space: Any) -> None:
    """An hour later: an order is new, some have changed, and an open one is gone."""
    space.clock.advance(3_600)
    space.world.add_order(_campaigns(space)[0])
    space.world.update_order(_ids(space, "reviewing")[0], state="processing")
    space.world.update_order(_ids(space, "failed")[0], state="processed")
    space.world.remove_order(_ids(space, "pending")[0])


def interrupted(space: Any) -> None:
    """Another hour later: what the run had read when it ended."""
    space.clock.advance(3_600)
    space.world.add_order(_campaigns(space)[1])
    space.world.add_order(_campaigns(space)[2], state="processing")
    space.world.update_order(_ids(space, "processing")[0], state="failed")
    space.world.remove_order(_ids(space, "pending")[0])


def afterwards(space: Any) -> None:
    """An hour later again: changes that the present version meets first."""
    space.clock.advance(3_600)
    space.world.add_order(_campaigns(space)[3])
    space.world.update_order(_ids(space, "processing")[0], state="processed")
    space.world.update_order(_ids(space, "failed")[0], state="processed")
    space.world.remove_order(_ids(space, "pending")[0])


def restore_duckdb(database: Path) -> None:
    """The database as the previous version left it, in a file."""
    database.write_bytes(gzip.decompress((FIXTURES / "duckdb.gz").read_bytes()))


def restored_postgres(server: PostgresServer) -> str:
    """The same in a new database of a server; returns its URL."""
    return server.replayed(gzip.decompress((FIXTURES / "postgres.sql.gz").read_bytes()).decode())


def restore_working_folder(name: str, folder: Path) -> None:
    """A working folder of the previous version."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz") as archive:
        archive.extractall(folder, filter="data")


def working_folder(data: Path, kind: str, location: str) -> Path:
    """Where the previous version kept its working folder for a DuckDB file or PostgreSQL URL."""
    if kind == "postgres":
        location = location.rpartition("@")[2]
    identity = f"{kind} {location} signalwire"
    digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
    return data / "pipelines" / f"signalwire_orders-{digest}"


def _campaigns(space: Any) -> list[str]:
    return sorted(record["id"] for _, record in space.world.truth_campaigns())


def _ids(space: Any, state: str) -> list[str]:
    """The ids of the orders in a state, in an order that is the same every time."""
    orders = (record for _, _, record in space.world.truth_orders())
    return sorted(record["id"] for record in orders if record["state"] == state)
