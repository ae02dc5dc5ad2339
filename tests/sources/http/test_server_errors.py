"""Errors of the server: its words are shown, passing ones ridden out, none taken for a list."""

from __future__ import annotations

import json
from collections.abc import Callable

import pyarrow as pa
import pytest
from support import Workspace, true_orders

from sources.signalwire.errors import ReadError
from sources.signalwire.http.client import Client, HttpSettings
from sources.signalwire.http.reasons import error_in, presentable, reason_of
from sources.signalwire.incremental.diff import newest_of_each
from sources.signalwire.records.schema import ORDERS
from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
BRANDS = "/api/relay/rest/registry/beta/brands"
WORDS = "the registry is in maintenance"
BODIES = {
    "errors": {"errors": [{"detail": WORDS, "code": "down"}], "data": []},
    "error": {"error": WORDS, "data": [], "links": {}},
    "object": {"error": {"message": WORDS}, "data": []},
    "success": {"success": False, "message": WORDS, "data": []},
    "alone": {"errors": [{"detail": WORDS}]},
}
LISTS = {"brands": r"/brands\?", "campaigns": r"/campaigns\?", "numbers": "/numbers"}


class TestUnderA200:
    """An error is one, whatever else is in the body."""

    @pytest.mark.parametrize("name", BODIES)
    def test_no_list_of_orders_is_empty_for_it(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        any_workspace.run(space)
        space.faults.add(Fault("/orders", "respond", status=200, body=BODIES[name]))
        result = any_workspace.run(space, full=True)
        assert len(result.stats.failures) == 4
        assert all(WORDS in reason for reason in result.stats.failures)
        assert any_workspace.orders() == true_orders(space)

    def test_orders_beside_it_are_not_taken_for_all(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        some = space.world.truth_orders()[0][2]
        body = {"error": WORDS, "data": [some], "links": {}}
        space.faults.add(Fault("/orders", "respond", status=200, body=body))
        result = any_workspace.run(space, full=True)
        assert len(result.stats.failures) == 4
        assert any_workspace.orders() == true_orders(space)

    @pytest.mark.parametrize("kind", ["campaigns", "numbers"])
    @pytest.mark.parametrize("name", ["errors", "error"])
    def test_no_other_list_is_empty_for_it(
        self, space: SimulatedSpace, workspace: Workspace, kind: str, name: str
    ) -> None:
        space.faults.add(Fault(LISTS[kind], "respond", status=200, body=BODIES[name]))
        result = workspace.run(space, number_assignments=True)
        assert len(result.stats.failures) == {"campaigns": 2, "numbers": 4}[kind]
        assert all(WORDS in reason for reason in result.stats.failures)

    @pytest.mark.parametrize("name", ["errors", "error"])
    def test_without_brands_the_run_says_why(
        self, space: SimulatedSpace, workspace: Workspace, name: str
    ) -> None:
        space.faults.add(Fault(LISTS["brands"], "respond", status=200, body=BODIES[name]))
        failed = workspace.command("run", space=space)
        assert failed.returncode == 1
        assert WORDS in failed.stderr

    @pytest.mark.parametrize("name", ["errors", "error"])
    def test_no_order_is_gone_for_it(
        self, space: SimulatedSpace, any_workspace: Workspace, name: str
    ) -> None:
        order_id = space.world.truth_orders()[0][2]["id"]
        space.world.update_order(order_id, state="pending")
        any_workspace.run(space)
        space.world.remove_order(order_id)
        space.faults.add(Fault(f"orders/{order_id}", "respond", status=200, body=BODIES[name]))
        result = any_workspace.run(space)
        assert WORDS in result.stats.failures[0]
        (row,) = any_workspace.rows(f"SELECT deleted_at FROM orders WHERE id = '{order_id}'")
        assert row["deleted_at"] is None

    @pytest.mark.parametrize("name", BODIES)
    def test_it_passes(self, space: SimulatedSpace, workspace: Workspace, name: str) -> None:
        space.faults.add(Fault("/orders", "respond", status=200, body=BODIES[name], times=2))
        result = workspace.run(space)
        assert result.stats.complete
        assert result.stats.counts()["retries"] == 2
        assert workspace.orders() == true_orders(space)

    @pytest.mark.parametrize("name", ["errors", "error"])
    @pytest.mark.parametrize("nothing", [None, [], "", {}, False], ids=repr)
    def test_nothing_is_no_error(
        self, space: SimulatedSpace, workspace: Workspace, name: str, nothing: object
    ) -> None:
        some = space.world.truth_orders()[0]
        body = {name: nothing, "data": [some[2]], "links": {}}
        space.faults.add(Fault(f"{some[1]}/orders", "respond", status=200, body=body))
        assert workspace.run(space, campaign_ids=[some[1]]).stats.complete
        assert [row["id"] for row in workspace.orders()] == [some[2]["id"]]

    def test_a_record_may_have_fields_of_these_names(self) -> None:
        assert error_in({"id": "o", "state": "failed", "errors": [{"detail": "no such"}]}) is None


class TestTriedAgain:
    """What passes, passes."""

    @pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 502, 520, 522, 599])
    def test_statuses_that_pass(
        self, space: SimulatedSpace, workspace: Workspace, status: int
    ) -> None:
        space.faults.add(Fault("/orders", "respond", status=status, times=2))
        assert workspace.run(space).stats.complete
        assert workspace.orders() == true_orders(space)

    @pytest.mark.parametrize("status", [408, 503])
    @pytest.mark.parametrize(
        "header", ["9" * 5_000, "-1", "nan", "1e9", "Mon, 02 Mar 9999 11:00:00 -9999", "\u00b2", ""]
    )
    def test_whatever_retry_after_says(
        self, space: SimulatedSpace, workspace: Workspace, header: str, status: int
    ) -> None:
        headers = {"Retry-After": header}
        space.faults.add(Fault("/orders", "respond", status=status, headers=headers, times=1))
        assert workspace.run(space).stats.complete
        assert workspace.orders() == true_orders(space)


class TestBegunAgain:
    """A list of which a later page is refused is begun again, once."""

    @pytest.mark.parametrize("status", [400, 404, 410, 422])
    def test_a_list_of_orders(
        self, space: SimulatedSpace, any_workspace: Workspace, status: int
    ) -> None:
        body = {"errors": [{"detail": "page_token has expired"}]}
        expired = Fault("/orders.*page_number=2", "respond", status=status, body=body, times=1)
        for full in (False, True):
            space.faults.add(expired)
            result = any_workspace.run(space, page_size=5, full=full)
            assert result.stats.complete
            assert any_workspace.orders() == true_orders(space)
            change_and_remove(space)

    def test_a_list_read_in_part(self, space: SimulatedSpace, any_workspace: Workspace) -> None:
        any_workspace.run(space)
        space.clock.advance(3_600)
        grown = sorted({campaign_id for _, campaign_id, _ in space.world.truth_orders()[::12]})
        for campaign_id in grown:
            for _ in range(6):
                space.world.add_order(campaign_id)
            # one each: a list that is refused a page for the second time fails
            second_page = f"{campaign_id}/orders.*page_number=1"
            space.faults.add(Fault(second_page, "respond", status=422, times=1))
        result = any_workspace.run(space, page_size=5)
        assert result.stats.complete
        assert result.stats.counts()["retries"] == len(grown) > 1
        assert any_workspace.orders() == true_orders(space)

    def test_what_vanished_meanwhile_is_found(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        any_workspace.run(space)
        change_and_remove(space)
        space.faults.add(Fault("/orders.*page_number=1", "respond", status=422, times=1))
        result = any_workspace.run(space, page_size=5, full=True)
        assert result.stats.counts()["orders_deleted"] == 1
        assert any_workspace.orders() == true_orders(space)

    def test_of_an_order_read_twice_the_last_reading_counts(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        # without a time of change, nothing but the reading tells which version is newer
        _, campaign_id, order = space.world.truth_orders()[0]
        space.world.patch_order(order["id"], updated_at=None, state="pending")
        any_workspace.run(space)
        space.world.patch_order(order["id"], state="failed")

        def move_back(path: str) -> None:
            if campaign_id in path and "page_number=1" in path:
                space.world.patch_order(order["id"], state="pending")

        space.on_request = move_back
        space.faults.add(Fault(f"{campaign_id}/.*page_number=1", "respond", status=422, times=1))
        assert any_workspace.run(space, page_size=5, full=True).stats.counts()["retries"] == 1
        assert any_workspace.orders() == true_orders(space)

    def test_the_reason_is_in_the_message_if_it_fails_again(
        self, space: SimulatedSpace, any_workspace: Workspace
    ) -> None:
        body = {"errors": [{"detail": "page_token has expired"}]}
        space.faults.add(Fault("/orders.*page_number=1", "respond", status=422, body=body))
        result = any_workspace.run(space, page_size=5)
        assert len(result.stats.failures) == 4
        assert all(reason.count("page_token has expired") == 2 for reason in result.stats.failures)
        rows = any_workspace.rows("SELECT reason FROM campaign_failures")
        assert sorted(row["reason"] for row in rows) == sorted(result.stats.failures)

    @pytest.mark.parametrize("path", [r"/brands\?.*page_number=1", r"/campaigns\?.*page_number=1"])
    def test_other_lists(self, space: SimulatedSpace, workspace: Workspace, path: str) -> None:
        space.faults.add(Fault(path, "respond", status=422, times=1))
        result = workspace.run(space, page_size=1)
        assert result.stats.complete
        assert workspace.orders() == true_orders(space)
        assert result.stats.counts()["brands"] == 2

    def test_not_for_a_first_page(self, space: SimulatedSpace, workspace: Workspace) -> None:
        space.faults.add(Fault("/orders", "respond", status=422))
        assert len(workspace.run(space).stats.failures) == 4
        assert space.journal.count("/orders") == 4


def change_and_remove(space: SimulatedSpace) -> None:
    """An order of the first campaign moves, and one vanishes."""
    space.clock.advance(3_600)
    first = space.world.truth_orders()
    space.world.update_order(first[0][2]["id"], state="failed")
    space.world.remove_order(first[-1][2]["id"])


@pytest.mark.parametrize(
    "link",
    [
        "http://[::1",
        "http://[v1.x]/",
        "http://x:99999/",
        "http://127.0.0.1:port/",
        "http://\u2100/",
        f"http://{'x' * 70}/",
        "mailto:x",
        "http:///x",
        "nowhere",
        "//[",
        "?\u0000\ud83d",
    ],
    ids=ascii,
)
@pytest.mark.parametrize("which", ["orders", "campaigns"])
def test_a_next_that_is_no_url_fails_its_list_alone(
    space: SimulatedSpace, any_workspace: Workspace, link: str, which: str
) -> None:
    brand_id, campaign_id, _ = space.world.truth_orders()[0]
    path = f"{campaign_id}/orders" if which == "orders" else f"{brand_id}/campaigns"
    body = '{"links": {"next": %s}, "data": []}' % json.dumps(link)  # noqa: UP031 - braces
    space.faults.add(Fault(path, "respond", status=200, body=body))
    result = any_workspace.run(space)
    assert len(result.stats.failures) == 1
    key, value = ("campaign_id", campaign_id) if which == "orders" else ("brand_id", brand_id)
    others = [row for row in true_orders(space) if row[key] != value]
    assert any_workspace.orders() == others


class TestWords:
    """The server's words, and nothing but them."""

    @pytest.mark.parametrize(
        ("body", "words"),
        [
            (b'{"errors": [{"title": "No", "detail": "too old"}]}', "No: too old"),
            (b'{"errors": [{"detail": "a"}, {"detail": "b"}, {"detail": "a"}]}', "a; b"),
            (b'{"errors": ["a", "b"]}', "a; b"),
            (b'{"errors": {"page_token": ["has expired"]}}', "page_token: has expired"),
            (b'{"error": "Not Found"}', "Not Found"),
            (b'{"error": true, "message": "no"}', "no"),
            (b'{"message": "Forbidden"}', "Forbidden"),
            (b'{"title": "Gone", "status": 410}', "Gone"),
            (b'["a"]', "a"),
            (b'"too late"', "too late"),
            (b"upstream timed out\n", "upstream timed out"),
            (b"<html>502</html>", ""),
            (b"{}", ""),
            (b"", ""),
            (b"null", ""),
            (b"\xff\xfe", "\ufffd\ufffd"),
        ],
    )
    def test_are_found(self, body: bytes, words: str) -> None:
        assert reason_of(body) == words

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 418, 422, 500])
    def test_are_in_the_message(self, space: SimulatedSpace, status: int) -> None:
        client = Client(
            space.url, space.project_id, space.api_token, settings=HttpSettings(5, 1, 0.01, 0.05)
        )
        header = client._auth.secrets[0]
        body = {"error": f"\x1b[31m{space.api_token}\n {header} Bearer abc {'long ' * 100}"}
        space.faults.add(Fault(BRANDS, "respond", status=status, body=body))
        with pytest.raises(Exception, match=str(status)) as failure:
            client.get(BRANDS)
        client.close()
        said = str(failure.value)
        assert r"(\x1b[31m*** *** Bearer *** long long" in said
        assert space.api_token not in said
        assert header not in said
        assert len(said) < 700
        assert said.isprintable()

    def test_a_secret_is_hidden_before_the_words_are_cut(self) -> None:
        assert "secret" not in presentable("x" * 295 + " a-secret-token", ["a-secret-token"])

    def test_a_page_for_browsers_is_not_repeated(self, space: SimulatedSpace) -> None:
        space.faults.add(Fault(BRANDS, "respond", status=400, body="<html>\x1b[31m</html>"))
        client = Client(space.url, space.project_id, space.api_token)
        with pytest.raises(ReadError, match="answered 400, which"):
            client.get(BRANDS)
        client.close()


def test_of_an_order_read_twice_the_newest_version_is_taken() -> None:
    def row(order_id: str, changed: int | None, read: int, state: str) -> dict[str, object]:
        times = {"updated_at": changed, "read_at": read}
        return {"id": order_id, "state": state} | times

    rows = [
        row("a", 1, 10, "pending"),
        row("b", 5, 11, "processed"),
        row("c", None, 12, "pending"),
        row("a", 2, 20, "processed"),
        row("b", 4, 21, "pending"),
        row("c", None, 22, "failed"),
    ]
    table = pa.Table.from_pylist(rows, schema=ORDERS.arrow_schema())
    read = newest_of_each(table).select(["id", "state"]).to_pylist()
    assert sorted((r["id"], r["state"]) for r in read) == [
        ("a", "processed"),
        ("b", "processed"),
        ("c", "failed"),
    ]
