"""What is Delta's alone; the conformance suite runs there too: make test-warehouses."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import botocore.exceptions
import pytest
from deltalake import DeltaTable, write_deltalake
from support import DeltaWorkspace, Workspace, true_orders
from support.at_call import at_call
from support.postgres_server import free_port

from pipelines.destinations.delta_client import MOST_FILES, MergeJob
from pipelines.destinations.resolve import find_target
from sources.simulator import SimulatedSpace

HOUR = 3600
KEYS = {"AWS_ACCESS_KEY_ID": "loader", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}
REGION = "us-east-1"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeltaWorkspace:
    made = DeltaWorkspace(tmp_path)
    made.prepared(monkeypatch)
    return made


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an S3-compatible server that has the bucket `lake`."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name=REGION,
        **{name.lower(): value for name, value in KEYS.items()},
    )  # fmt: skip
    with (tmp_path_factory.mktemp("s3") / "log").open("w") as log:
        server = subprocess.Popen(
            [Path(sys.executable).with_name("moto_server"), "-p", str(port)],
            stdout=log,
            stderr=log,
        )
    try:
        while True:
            try:
                client.create_bucket(Bucket="lake")
                break
            except botocore.exceptions.EndpointConnectionError:
                assert server.poll() is None
                time.sleep(0.1)
        yield address
    finally:
        client.close()
        server.kill()
        server.wait(30)


def test_in_a_bucket(space: SimulatedSpace, tmp_path: Path, bucket: str) -> None:
    workspace = Workspace(tmp_path)
    prefix = "DESTINATION__FILESYSTEM__"
    workspace.environment |= {
        "PIPELINES__SIGNALWIRE_ORDERS__DESTINATION_TYPE": "filesystem",
        f"{prefix}BUCKET_URL": "s3://lake/orders",
        f"{prefix}CREDENTIALS__ENDPOINT_URL": bucket,
        f"{prefix}CREDENTIALS__REGION_NAME": REGION,
        **{f"{prefix}CREDENTIALS__{name}": value for name, value in KEYS.items()},
    }
    for _ in range(3):
        done = workspace.command("run", space=space)
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("in a bucket nothing keeps the runs of two machines apart") == 1
        assert KEYS["AWS_SECRET_ACCESS_KEY"] not in done.stdout + done.stderr
        table = DeltaTable("s3://lake/orders/signalwire/orders", storage_options=options(bucket))
        states = {row["id"]: row["state"] for row in table.to_pyarrow_table().to_pylist()}
        assert states == {row["id"]: row["state"] for row in true_orders(space)}
        space.clock.advance(6 * HOUR)
    asked = workspace.command("query", "SELECT COUNT(*) AS N FROM ORDERS")
    assert asked.stdout.split() == ["N", str(len(states))]
    reported = workspace.command("report")
    assert reported.returncode == 0, reported.stderr
    assert f"orders               {len(states)}" in reported.stdout


def options(bucket: str) -> dict[str, str]:
    return {**KEYS, "endpoint_url": bucket, "region": REGION, "aws_allow_http": "true"}


def test_many_small_files_are_put_together(workspace: DeltaWorkspace) -> None:
    """As after as many runs; what readers have open stays for a week."""
    with SimulatedSpace(brands=1, campaigns=1, orders=MOST_FILES + 1) as space:
        workspace.run(space)
        place = workspace.dataset / "orders"
        rows = DeltaTable(place).to_pyarrow_table()
        write_deltalake(place, rows.slice(0, 0), mode="overwrite")
        for number in range(len(rows)):
            write_deltalake(place, rows.slice(number, 1), mode="append")
        space.clock.advance(6 * HOUR)
        assert workspace.run(space).stats.counts()["orders_loaded"] > 0
        assert len(DeltaTable(place).file_uris()) < 3
        assert workspace.orders() == true_orders(space)
        assert len([*place.glob("*.parquet")]) > MOST_FILES


def test_a_reader_sees_all_of_a_load_or_nothing(
    space: SimulatedSpace, workspace: DeltaWorkspace
) -> None:
    """Each load of a table is one version of it."""
    workspace.run(space)
    version = DeltaTable(workspace.dataset / "orders").version()
    space.clock.advance(48 * HOUR)
    assert workspace.run(space).stats.counts()["orders_loaded"] > 0
    table = DeltaTable(workspace.dataset / "orders")
    assert table.version() == version + 1
    assert len(table.to_pyarrow_table()) == len(true_orders(space))


def test_a_load_that_another_writer_came_before_is_merged_again(
    space: SimulatedSpace, workspace: DeltaWorkspace
) -> None:
    """Delta refuses the commit, and dlt starts the job again, on what is there now."""
    workspace.run(space)
    space.clock.advance(48 * HOUR)
    came: list[str] = []

    def come_before() -> None:
        if not came:
            came.append("once")
            DeltaTable(workspace.dataset / "orders").update({"state": "'theirs'"})

    with at_call(f"{MergeJob.__module__}:MergeJob._rows_to_merge", -1, come_before):
        workspace.run(space, full=True)
    space.clock.advance(HOUR)
    workspace.run(space, full=True)
    assert came
    assert workspace.orders() == true_orders(space)


def test_a_machine_whose_clock_was_wrong(space: SimulatedSpace, workspace: DeltaWorkspace) -> None:
    """dlt finds its state and its schema by the times in the names of their files."""
    workspace.run(space)
    later = ", ".join(f"{t} = {t} + INTERVAL '10 years'" for t in ("started_at", "finished_at"))
    workspace.execute(f"UPDATE signalwire.runs SET {later}")
    for name in ("_dlt_pipeline_state", "_dlt_version"):
        for file in (workspace.dataset / name).iterdir():
            file.rename(file.with_name(file.name.replace("__1", "__91", 1)))
    for number in range(3):
        space.clock.advance(25 * HOUR if number == 1 else HOUR)
        order_id = space.world.truth_orders()[number][2]["id"]
        space.world.update_order(order_id, state="pending")
        counts = workspace.run(space).stats.counts()
        assert workspace.orders() == true_orders(space)
    assert (counts["orders_loaded"], counts["full_walks"]) == (1, 0)
    soon = datetime.now(timezone.utc) + timedelta(hours=1)
    assert all(row["finished_at"] < soon for row in workspace.rows("SELECT * FROM runs"))
    # names are `name__time` or `name__time__hash`, and a hash may begin with any digit
    stems = [file.stem.split("__") for file in workspace.dataset.glob("_dlt_*/*__*.jsonl")]
    assert stems
    assert all(float(stem[1]) < soon.timestamp() for stem in stems)


@pytest.mark.parametrize(
    "command", [("query", "SELECT 1 FROM orders"), ("report",), ("dashboard",)]
)
def test_a_lake_that_is_not_there_yet(workspace: DeltaWorkspace, command: tuple[str, ...]) -> None:
    done = workspace.command(*command)
    assert done.returncode == 2
    assert f"nothing is loaded yet: there is no folder {workspace.dataset}" in done.stderr
    assert not workspace.dataset.parent.exists()


def test_a_connection_sees_a_table_as_it_was(
    space: SimulatedSpace, workspace: DeltaWorkspace
) -> None:
    """Or numbers on one page would not agree while a run loads."""
    workspace.run(space)
    with find_target().opened() as client:
        counted = client.execute_sql("SELECT count(*) FROM orders")
        DeltaTable(workspace.dataset / "orders").delete()
        assert client.execute_sql("SELECT count(*) FROM orders") == counted == [(24,)]
    with find_target().opened() as client:
        assert client.execute_sql("SELECT count(*) FROM orders") == [(0,)]


def test_dlts_datasets_show_the_tables(space: SimulatedSpace, workspace: DeltaWorkspace) -> None:
    """What dlt documents for its datasets works on ours."""
    workspace.run(space)
    script = (
        "import dlt; from pipelines.destinations.resolve import find_target;"
        "p = find_target().open_pipeline();"
        "print(len(p.dataset().orders.fetchall()))"
    )
    done: Any = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | workspace.environment,
        cwd=workspace.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "24", done.stderr
