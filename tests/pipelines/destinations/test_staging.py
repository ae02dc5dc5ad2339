"""DuckDB merges from the files themselves: whatever they are called, lack, or hold twice."""

from __future__ import annotations

from pathlib import Path

import dlt
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dlt.common.destination.reference import DestinationReference
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.impl.ducklake.ducklake import DuckLakeClient
from dlt.pipeline.exceptions import PipelineStepFailed
from support import Workspace, true_orders

from pipelines.destinations.duckdb_merge import Client, NotMerged
from pipelines.destinations.staged_rows import PLACE, staged_rows
from pipelines.errors.explain import causes_of
from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof


def test_staging_tables_stay_empty(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    for table in ("orders", "order_changes", "brands", "runs"):
        assert workspace.rows(f"SELECT * FROM signalwire_staging.{table}") == []
    assert workspace.orders() == true_orders(space)


def test_other_pipelines_of_the_process_are_left_alone(
    space: SimulatedSpace, workspace: Workspace, tmp_path: Path
) -> None:
    workspace.run(space)
    other = dlt.pipeline(
        "other",
        pipelines_dir=str(tmp_path),
        destination=dlt.destinations.duckdb(str(tmp_path / "other.duckdb")),
        dataset_name="data",
    )
    other.run(
        [{"id": 1}],
        table_name="orders",
        write_disposition="merge",
        primary_key="id",
        loader_file_format="parquet",
    )
    with duckdb.connect(str(tmp_path / "other.duckdb")) as connection:
        for schema in ("data", "data_staging"):
            assert connection.execute(f"SELECT id FROM {schema}.orders").fetchall() == [(1,)]


def test_a_load_does_not_count_if_dlt_merges_in_another_way(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.run(space)
    before, loads = workspace.table("orders"), workspace.rows("SELECT * FROM _dlt_loads")
    space.clock.advance(86_400)
    with monkeypatch.context() as patch:
        # a dlt that no longer asks for the script: its own would read an empty staging table
        patch.delattr(Client, "create_table_chain_completed_followup_jobs")
        with pytest.raises(PipelineStepFailed) as failure:
            workspace.run(space)
    assert any(isinstance(cause, NotMerged) for cause in causes_of(failure.value))
    assert workspace.table("orders") == before
    assert workspace.rows("SELECT * FROM _dlt_loads") == loads
    # the package that was not merged is dropped, and what was in it is read again
    assert workspace.run(space).stats.counts()["orders_loaded"] > 0
    assert workspace.orders() == true_orders(space)


def test_a_named_destination(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESTINATION__LOCAL__DESTINATION_TYPE", "duckdb")
    monkeypatch.setenv("DESTINATION__LOCAL__CREDENTIALS", str(workspace.database))
    workspace.run(space, destination="local")
    assert workspace.orders() == true_orders(space)
    assert workspace.rows("SELECT * FROM signalwire_staging.orders") == []


def test_dlts_own_classes_stay(space: SimulatedSpace, workspace: Workspace) -> None:
    workspace.run(space)
    assert DuckDbClient.__module__.startswith("dlt.")
    assert not issubclass(DuckLakeClient, Client)
    assert DestinationReference.find("duckdb").__module__.startswith("dlt.")


@pytest.mark.parametrize("folder", ["it's here", "{a} folder"])
def test_the_files_may_lie_anywhere(
    space: SimulatedSpace, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    monkeypatch.setenv("DLT_DATA_DIR", str(workspace.folder / folder))
    for _ in range(2):
        workspace.run(space)
        assert workspace.orders() == true_orders(space)
        space.clock.advance(86_400)


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has every page of orders put into a file of its own."""
    monkeypatch.setattr("sources.signalwire.records.buffers.BATCH_ROWS", 1)
    for limit in ("BUFFER_MAX_ITEMS", "FILE_MAX_ITEMS"):
        monkeypatch.setenv(f"DATA_WRITER__{limit}", "1")


@pytest.mark.usefixtures("small_files")
class TestManyFiles:
    """A table comes in more than one."""

    def test_all_are_merged(self, space: SimulatedSpace, workspace: Workspace) -> None:
        workspace.run(space, page_size=5)
        assert workspace.orders() == true_orders(space)

    def test_an_order_in_two_of_them_is_taken_from_the_newer(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        _, campaign_id, order = space.world.truth_orders()[0]
        path = f"/api/relay/rest/registry/beta/campaigns/{campaign_id}/orders"
        for state, links in (("pending", {"next": f"{path}?page=2"}), ("processed", {})):
            record = order | {"state": state, "updated_at": None}
            body = {"links": links, "data": [record]}
            fault = Fault(f"{campaign_id}/orders", "respond", times=1, status=200, body=body)
            space.faults.add(fault)
        workspace.run(space, campaign_ids=[campaign_id])
        (row,) = workspace.orders()
        assert row["state"] == "processed"

    def test_a_field_that_only_some_have_is_null_in_the_others(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        _, campaign_id, order = space.world.truth_orders()[0]
        body = {"links": {}, "data": [order | {"color": "red"}]}
        fault = Fault(f"{campaign_id}/orders", "respond", times=1, status=200, body=body)
        space.faults.add(fault)
        workspace.run(space)
        found = {row["id"]: row["color"] for row in workspace.orders()}
        assert len(found) > 1
        assert {i for i, color in found.items() if color} == {order["id"]}
        space.world.update_order(order["id"], state="failed")
        workspace.run(space, full=True)
        assert all(row["color"] is None for row in workspace.orders())


def test_files_may_differ_in_their_columns(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("it's.parquet", "other.parquet")]
    pq.write_table(pa.table({"id": ["a", "b"]}), files[0])
    pq.write_table(pa.table({"id": ["c"], "color": ["red"]}), files[1])
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE kept (id VARCHAR, color VARCHAR, later TIMESTAMPTZ)")
        staged = staged_rows("kept", [*map(str, files), "third.insert_values"])
        selected = f"SELECT id, color, later, {PLACE} FROM {staged} ORDER BY id"
        *rows, (*last, place) = connection.execute(selected).fetchall()
    assert rows == [("a", None, None, 0), ("b", None, None, 1)]
    assert last == ["c", "red", None]
    assert place > 1
    assert "read_parquet" not in staged_rows("kept", ["third.insert_values"])
