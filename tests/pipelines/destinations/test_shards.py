"""Parts of a space, loaded side by side into one PostgreSQL."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import closing

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import Workspace, true_orders
from support.postgres_server import PostgresServer
from support.shard_processes import COMPLETE, DEATHS, FAILED, start

from pipelines.destinations.lock import exclusive
from pipelines.destinations.resolve import find_target
from pipelines.errors import Busy, KeysFailed
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import Shard, parse_shard
from sources.simulator import Fault, SimulatedSpace

pytestmark = pytest.mark.proof

DAY = 24 * 3600
ROUNDS = int(os.environ.get("SHARD_ROUNDS", "8"))
SEED = int(os.environ.get("SEED", "0"))


@pytest.fixture
def workspace(postgres_workspace: Workspace) -> Workspace:
    return postgres_workspace


@pytest.fixture
def space(open_space: Callable[..., SimulatedSpace]) -> SimulatedSpace:
    return open_space(brands=12, campaigns=1, orders=8)


def load(workspace: Workspace, space: SimulatedSpace, *shards: str | None) -> list[dict[str, int]]:
    """One run of each shard, one after the other, all of them complete; their counts."""
    results = [workspace.run(space, shard=shard) for shard in shards]
    assert all(result.stats.complete for result in results)
    return [result.stats.counts() for result in results]


class TestWhichBrand:
    @given(st.text(), st.integers(1, 64))
    def test_is_in_exactly_one_shard(self, brand_id: str, count: int) -> None:
        assert [Shard(n, count).holds(brand_id) for n in range(1, count + 1)].count(True) == 1

    def test_is_told_alike_by_the_database(self, workspace: Workspace) -> None:
        ids = [str(random.Random(n).getrandbits(128)) for n in range(300)] + ["", "Ünï", "a b'c"]
        for shard in (Shard(1, 2), Shard(3, 7), Shard(64, 64)):
            condition = find_target(shard=shard).shard_condition("id")
            with closing(psycopg2.connect(str(workspace.postgres_url))) as connection:
                cursor = connection.cursor()
                cursor.execute(f"SELECT id FROM unnest(%s) AS t(id) WHERE {condition}", [ids])
                assert [row[0] for row in cursor.fetchall()] == [i for i in ids if shard.holds(i)]

    @pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/2000", "-1/2", "1/2/3", "²/2"])
    def test_cannot_be_told_from_nonsense(self, text: str) -> None:
        with pytest.raises(ConfigurationError, match="I/N"):
            parse_shard(text)

    @pytest.mark.parametrize("text", [None, "", "1/1"])
    def test_is_any_without_shards(self, text: str | None) -> None:
        assert parse_shard(text) is None


class TestTogether:
    def test_they_load_everything_once(self, space: SimulatedSpace, workspace: Workspace) -> None:
        counts = load(workspace, space, "1/3", "2/3", "3/3")
        assert sum(c["brands"] for c in counts) == 12
        assert all(c["brands"] for c in counts)
        assert workspace.orders() == true_orders(space)
        assert len(workspace.table("brands")) == len(workspace.table("campaigns")) == 12

    @pytest.mark.proof
    def test_each_asks_for_its_own_part_alone(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, "1/2", "2/2")
        space.clock.advance(2 * DAY)  # when what is in no list is asked for by its id
        for counts in load(workspace, space, "1/2", "2/2"):
            assert counts["requests"] == 1 + counts["brands"] + counts["campaigns"]

    @pytest.mark.proof
    def test_a_second_run_of_each_writes_nothing(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, "1/2", "2/2")
        space.clock.advance(3600)
        states = workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state")
        assert [c["orders_loaded"] for c in load(workspace, space, "1/2", "2/2")] == [0, 0]
        assert workspace.rows("SELECT count(*) AS n FROM _dlt_pipeline_state") == states

    def test_each_finds_what_changed_and_vanished_in_its_part(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, "1/2", "2/2")
        space.clock.advance(2 * DAY)
        for number, (_, campaign_id, order) in enumerate(space.world.truth_orders()):
            if number % 5 == 0:
                space.world.remove_order(order["id"])
            elif number % 7 == 0:
                space.world.update_order(order["id"], state="processed")
            elif number == 8 * 11:
                space.world.remove_campaign(campaign_id)
        counts = load(workspace, space, "1/2", "2/2")
        assert all(c["orders_deleted"] for c in counts)
        assert workspace.orders() == true_orders(space)

    @pytest.mark.proof
    def test_a_campaign_that_moves_to_a_brand_of_another_shard(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        first, second = Shard(1, 2), Shard(2, 2)
        brands = [brand["id"] for brand in space.world.truth_brands()]
        here = next(b for b in brands if first.holds(b))
        there = next(b for b in brands if second.holds(b))
        load(workspace, space, "1/2", "2/2")
        records = dict(space.world.truth_campaigns())
        for brand_id, data in ((here, []), (there, [records[there], records[here]])):
            page = {"links": {}, "data": data}
            space.faults.add(Fault(f"{brand_id}/campaigns", "respond", status=200, body=page))
        space.clock.advance(2 * DAY)
        moved = records[here]["id"]
        space.journal.clear()
        load(workspace, space, "1/2")
        read = [entry.path for entry in space.journal.entries()]
        assert any(path.endswith(f"campaigns/{moved}") for path in read)
        assert not any(f"{moved}/orders" in path for path in read), "it is the other shard's now"
        load(workspace, space, "2/2", "1/2", "2/2")
        rows = workspace.rows(f"SELECT brand_id FROM orders WHERE campaign_id = '{moved}'")
        assert {row["brand_id"] for row in rows} == {there}
        assert len(rows) == 8

    @pytest.mark.proof
    def test_a_campaign_passed_over_is_read_all_the_same(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, "1/2", "2/2")
        space.clock.advance(2 * DAY)
        brand_id, _campaign_id, order = space.world.truth_orders()[0]
        space.world.update_order(order["id"], state="processed")
        nothing = {"links": {}, "data": []}
        space.faults.add(
            Fault(f"{brand_id}/campaigns", "respond", status=200, body=nothing, times=1)
        )
        load(workspace, space, "1/2", "2/2")
        assert workspace.orders() == true_orders(space)


@pytest.mark.proof
class TestAnotherNumber:
    def test_reads_nothing_again(self, space: SimulatedSpace, workspace: Workspace) -> None:
        load(workspace, space, None)
        space.clock.advance(3600)
        layouts = (["1/3", "2/3", "3/3"], ["1/2", "2/2"], [None], ["2/2", "1/2"])
        for layout in layouts:
            counts = load(workspace, space, *layout)
            assert sum(c["orders_loaded"] + c["full_walks"] for c in counts) == 0
        order = space.world.truth_orders()[0][2]
        space.world.update_order(order["id"], state="failed")
        assert sum(c["orders_loaded"] for c in load(workspace, space, "1/3", "2/3", "3/3")) == 1
        assert workspace.orders() == true_orders(space)

    def test_waits_for_the_one_at_work(self, workspace: Workspace) -> None:
        def lock(shard: str | None) -> exclusive:
            return exclusive(find_target(shard=parse_shard(shard)), 0)

        with lock("1/2"):
            with lock("2/2"):
                pass
            for other in ("1/2", "1/3", "3/3", None):
                with pytest.raises(Busy, match=f"pid {os.getpid()}"), lock(other):
                    pass
        with lock(None):
            for other in ("1/2", "2/3", None):
                with pytest.raises(Busy), lock(other):
                    pass

    def test_another_project_is_refused_in_any_of_them(
        self,
        space: SimulatedSpace,
        workspace: Workspace,
        open_space: Callable[..., SimulatedSpace],
    ) -> None:
        load(workspace, space, "1/2", "2/2")
        with pytest.raises(Exception, match="another project"):
            workspace.run(open_space(seed=99), shard="1/3")


@pytest.mark.proof
class TestReports:
    def test_now_is_the_moment_of_the_one_read_first(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        told = "SELECT as_of, last_run_complete FROM signalwire_reports.data_as_of"
        load(workspace, space, None)
        whole = workspace.rows(told)
        space.clock.advance(DAY)
        load(workspace, space, "1/2")
        assert workspace.rows(told) == whole
        space.clock.advance(3600)
        load(workspace, space, "2/2")
        runs = workspace.rows("SELECT read_at FROM runs WHERE shard = 1")
        assert workspace.rows(told) == [{"as_of": runs[0]["read_at"], "last_run_complete": True}]

    def test_check_wants_all_of_them_fresh(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, None)
        workspace.execute("UPDATE signalwire.runs SET finished_at = now() - interval '1 day'")
        load(workspace, space, "1/2")
        assert workspace.command("check", "--max-age", "1h", space=space).returncode == 1
        load(workspace, space, "2/2")
        assert workspace.command("check", "--max-age", "1h", space=space).returncode == 0

    def test_what_any_shard_could_not_read_is_told(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        brand_and_campaign = [entry[:2] for entry in space.world.truth_orders()]
        in_first = next(c for b, c in brand_and_campaign if Shard(1, 3).holds(b))
        path = f"campaigns/{in_first}/orders"
        space.faults.add(Fault(path, "respond", status=500))
        for shard in ("1/3", "2/3", "3/3"):
            assert workspace.run(space, shard=shard).stats.complete == (shard != "1/3")
            space.clock.advance(60)
        told = workspace.rows(
            "SELECT count FROM signalwire_reports.data_quality"
            " WHERE check_name = 'lists the newest run could not read'"
        )
        assert told == [{"count": 1}]
        assert workspace.command("check", "--max-age", "1h", space=space).returncode == 1


class TestKeys:
    def test_no_table_can_hold_one_twice(self, space: SimulatedSpace, workspace: Workspace) -> None:
        load(workspace, space, None)
        for table in ("orders", "order_changes", "campaigns", "brands", "runs"):
            with pytest.raises(psycopg2.errors.UniqueViolation):
                workspace.execute(
                    f"INSERT INTO signalwire.{table} SELECT * FROM signalwire.{table}"
                )

    def test_one_that_is_there_twice_is_told(
        self, space: SimulatedSpace, workspace: Workspace
    ) -> None:
        load(workspace, space, None)
        workspace.execute("DROP INDEX signalwire.orders_key")
        workspace.execute("INSERT INTO signalwire.orders SELECT * FROM signalwire.orders LIMIT 1")
        with pytest.raises(KeysFailed, match="orders holds the same id twice"):
            workspace.run(space)


class TestRefused:
    def test_on_duckdb_with_the_reason(self, space: SimulatedSpace, workspace: Workspace) -> None:
        done = workspace.command("run", "--shard", "1/2", "--destination", "duckdb", space=space)
        assert done.returncode == 2
        assert "one writer at a time" in done.stderr

    def test_with_brands_or_campaigns(self, space: SimulatedSpace, workspace: Workspace) -> None:
        with pytest.raises(ConfigurationError, match="either a shard, or"):
            workspace.run(space, shard="1/2", campaign_ids=["x"])

    def test_with_a_copy_to_publish(self, space: SimulatedSpace, workspace: Workspace) -> None:
        with pytest.raises(ConfigurationError, match="signalwire-orders publish"):
            workspace.run(space, shard="1/2", publish=workspace.folder / "copy.duckdb")


def disturb(space: SimulatedSpace, draw: random.Random) -> None:
    """Some changes, and a fault for some of the requests to come."""
    space.clock.advance(draw.choice([60, 3600, 26 * 3600]))
    orders = space.world.truth_orders()
    for _, campaign_id, order in draw.sample(orders, 12):
        match draw.randrange(6):
            case 0:
                space.world.remove_order(order["id"])
            case 1:
                space.world.add_order(campaign_id, state="pending")
            case _:
                state = draw.choice(["processing", "processed", "failed"])
                space.world.update_order(order["id"], state=state)
    fault = draw.choice(
        [
            Fault("/orders", "respond", status=500, times=draw.choice([1, 9, 40])),
            Fault("/orders", "reset", times=9),
            Fault("/campaigns", "respond", status=429, times=9),
            Fault("/orders", "cut", times=4),
        ]
    )
    space.faults.add(fault)


@pytest.mark.proof
def test_four_at_once_with_faults_and_kills(
    open_space: Callable[..., SimulatedSpace], postgres: PostgresServer, workspace: Workspace
) -> None:
    """After each disturbed round a quiet one, and whole rows as the space has them."""
    space = open_space(brands=16, campaigns=1, orders=6, arrivals_per_day=0.5)
    draw = random.Random(SEED)
    settings = {"space": space.url, "project_id": space.project_id, "api_token": space.api_token}
    shards = [f"{number}/4" for number in range(1, 5)]
    killed = 0
    for number in range(ROUNDS):
        disturb(space, draw)
        victims = {draw.choice(shards): (draw.choice(DEATHS), draw.choice([1, 1, 2, 3]))}
        processes = [start(s, workspace.environment, victims.get(s), **settings) for s in shards]
        for process in processes:
            process.join()
        killed += [p.exitcode for p in processes].count(-9)
        codes = [p.exitcode for p in processes]
        assert FAILED not in codes, codes
        space.faults.clear()
        space.clock.advance(1)
        # a full round now and then; what any other promises of settled orders takes a day
        settings["full"] = True
        processes = [start(s, workspace.environment, None, **settings) for s in shards]
        for process in processes:
            process.join()
        assert [p.exitcode for p in processes] == [COMPLETE] * 4
        del settings["full"]
        assert workspace.orders() == true_orders(space), f"SEED={SEED}, round {number}"
    assert killed >= ROUNDS // 3
