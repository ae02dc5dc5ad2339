"""Makes `tests/fixtures/upgrade` with another version of this project, in a clone of its own:

    git clone . ../previous && git -C ../previous checkout COMMIT
    PYTHONPATH=../previous:tests python -m support.make_upgrade_fixtures

It writes, for DuckDB and for PostgreSQL, the database after two runs, the working folder then and
after a third run that was interrupted, and how much a quiet run of that version would read.
Everything happens in FOLDER, so that no path of this machine is in the fixtures.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
import tarfile
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import duckdb

from support.at_call import at_call
from support.postgres_server import PostgresServer, running_server
from support.upgrade import (
    FIXTURES,
    SCALE,
    beginning,
    changes,
    interrupted,
    restore_duckdb,
    restore_working_folder,
    restored_postgres,
    working_folder,
)
from support.workspace import ROOT, START

FOLDER = Path("/srv/orders")


def main() -> None:
    FIXTURES.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "DLT_DATA_DIR": str(FOLDER / "data"),
        "DLT_PROJECT_DIR": str(FOLDER),
        "SOURCES__SIGNALWIRE__REQUEST_BACKOFF_FACTOR": "0.01",
    }
    with running_server() as server:
        for kind in ("duckdb", "postgres"):
            FOLDER.mkdir(parents=True)
            os.chdir(FOLDER)
            try:
                _make(kind, server)
            finally:
                os.chdir(ROOT)
                shutil.rmtree(FOLDER)


def _make(kind: str, server: PostgresServer) -> None:
    url = server.new_database()
    os.environ["PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE"] = kind
    os.environ["DESTINATION__DUCKDB__CREDENTIALS"] = str(FOLDER / "signalwire_orders.duckdb")
    os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = url
    simulator = _simulator()
    with simulator.SimulatedSpace(**SCALE, clock=simulator.Clock(START, speed=0)) as space:
        for chapter in (beginning, changes):
            chapter(space)
            assert _run(space).complete
        _keep_database(kind, server, url)
        _keep_folder(f"{kind}-idle")
        quiet = _run(space)
        counts = quiet.counts()
        figures = {name: counts[name] for name in ("requests", "orders_seen", "orders_loaded")}
        (FIXTURES / f"{kind}-quiet.json").write_text(json.dumps(figures) + "\n")
    # the quiet run has moved the state on, so the interrupted one starts from the fixtures again
    working = next((FOLDER / "data" / "pipelines").iterdir())
    shutil.rmtree(working)
    if kind == "postgres":
        url = restored_postgres(server)
        os.environ["DESTINATION__POSTGRES__CREDENTIALS"] = url
        working = working_folder(FOLDER / "data", kind, url)
    else:
        restore_duckdb(FOLDER / "signalwire_orders.duckdb")
    restore_working_folder(f"{kind}-idle", working)
    with simulator.SimulatedSpace(**SCALE, clock=simulator.Clock(START, speed=0)) as space:
        for chapter in (beginning, changes, interrupted):
            chapter(space)
        _run_interrupted(space, kind)
        _keep_folder(f"{kind}-pending")


def _simulator() -> Any:
    """The simulator, wherever that version has it."""
    try:
        return import_module("sources.simulator")
    except ModuleNotFoundError:
        return import_module("simulator")


def _run(space: Any) -> Any:
    from pipelines.signalwire_orders import run

    return run(space=space.url, project_id=space.project_id, api_token=space.api_token).stats


def _run_interrupted(space: Any, kind: str) -> None:
    """A run that ends after it has read; into PostgreSQL, before its package is loaded."""
    step = "normalize" if kind == "duckdb" else "load"

    def end() -> None:
        raise KeyboardInterrupt

    with at_call(f"dlt.pipeline.pipeline:Pipeline.{step}", 1, end), suppress(KeyboardInterrupt):
        _run(space)
        raise AssertionError("the run was not interrupted")


def _keep_database(kind: str, server: PostgresServer, url: str) -> None:
    if kind == "duckdb":
        content = _for_every_duckdb(FOLDER / "signalwire_orders.duckdb").read_bytes()
        (FIXTURES / "duckdb.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        return
    dump = [server.binaries / "pg_dump", "--inserts", "--no-owner", "--no-privileges", url]
    text = subprocess.run(dump, capture_output=True, check=True, text=True).stdout
    # psql's own commands, and settings that older servers lack
    lines = [
        line for line in text.splitlines()
        if not re.match(r"\\|--|SET (transaction_timeout|default_table_access_method)|$", line)
    ]  # fmt: skip
    content = "\n".join(lines).encode()
    (FIXTURES / "postgres.sql.gz").write_bytes(gzip.compress(content, 9, mtime=0))


def _for_every_duckdb(database: Path) -> Path:
    """A copy in the format that all versions of DuckDB read."""
    copy = database.with_suffix(".copy")
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{database}' AS original (READ_ONLY)")
        connection.execute(f"ATTACH '{copy}' AS copy (STORAGE_VERSION 'v1.0.0')")
        connection.execute("COPY FROM DATABASE original TO copy")
    return copy


def _keep_folder(name: str) -> None:
    """The working folder, without the trace, which would tell of this machine."""
    with tarfile.open(FIXTURES / f"{name}.tar.gz", "w:gz") as archive:
        for folder in (FOLDER / "data" / "pipelines").glob("*/signalwire_orders"):
            archive.add(folder, folder.name, filter=_neutral)


def _neutral(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if Path(member.name).name in ("trace.pickle", "trace.json") or member.name.endswith(".log"):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main()
