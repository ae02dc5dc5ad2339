"""HTTP that can be trusted: what is tried again, what is refused, and what is never sent."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from dlt.pipeline.exceptions import PipelineStepFailed
from support import Workspace, true_orders

from pipelines.errors.explain import explain
from sources.signalwire.crawl.scheduler import walks_for
from sources.signalwire.errors import AccessDenied, NotFound, ProtocolError, Unavailable
from sources.signalwire.http.client import Client, HttpSettings
from sources.signalwire.http.pagination import Listing
from sources.signalwire.http.responses import Response
from sources.signalwire.http.throttle import retry_after_seconds
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.stats import RunStats
from sources.simulator import Fault, SimulatedSpace

OpenSpace = Callable[..., SimulatedSpace]
BRANDS = "/api/relay/rest/registry/beta/brands"
QUICK = HttpSettings(5, 5, 0.01, 0.05)
HTML = "<html><body>502 from some proxy</body></html>"


@pytest.fixture
def stats() -> RunStats:
    return RunStats()


@pytest.fixture
def client(space: SimulatedSpace, stats: RunStats) -> Iterator[Client]:
    client = Client(space.url, space.project_id, space.api_token, settings=QUICK, stats=stats)
    yield client
    client.close()


def read_list(client: Client, stats: RunStats, params: Any = None) -> list[PageRecords]:
    """All pages of the list of brands."""

    async def get(*request: Any) -> Response:
        return client.get(*request)

    async def read() -> list[PageRecords]:
        return [page async for page in Listing(get, Origin(BRANDS), stats, params)]

    return asyncio.run(read())


def respond(path: str, **fields: object) -> Fault:
    return Fault(path, "respond", **{"status": 200, **fields})  # type: ignore[arg-type]


class TestTriedAgain:
    """Failures that pass."""

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("/orders", "respond", status=500, times=2),
            Fault("/orders", "respond", status=503, body=HTML, times=2),
            Fault("/orders", "respond", status=429, times=2),
            Fault("/orders", "respond", status=429, headers={"Retry-After": "0"}, times=2),
            Fault("/orders", "reset", times=2),
            Fault("/orders", "cut", times=2),
            Fault("/orders", "respond", status=200, body=HTML, times=2),
            Fault("/orders", "respond", status=200, body='{"links": {}, "data": [', times=2),
            Fault("/orders", "respond", status=200, body='{"links": {}, "data": [}', times=2),
            Fault("/orders", "respond", status=200, body="", times=2),
            Fault("/orders", "hang", seconds=3, times=1),
        ],
        ids=lambda f: f"{f.kind}-{f.status}-{f.headers or str(f.body)[:12]}",
    )
    def test_and_nothing_is_lost(
        self, space: SimulatedSpace, workspace: Workspace, fault: Fault
    ) -> None:
        space.faults.add(fault)
        result = workspace.run(space, request_timeout=0.5)
        assert workspace.orders() == true_orders(space)
        counts = result.stats.counts()
        assert result.stats.complete
        assert counts["retries"] == fault.times
        assert counts["requests"] == space.journal.requests == 7 + (fault.times or 0)

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            ("7", 7.0),
            (" 7 ", 7.0),
            ("Mon, 02 Mar 2026 12:00:30 GMT", 30.0),
            ("Mon, 02 Mar 2026 11:00:00 GMT", 0.0),
            ("soon", None),
            ("-1", None),
        ],
    )
    def test_retry_after(self, header: str, seconds: float | None) -> None:
        now = datetime(2026, 3, 2, 12, tzinfo=timezone.utc).timestamp()
        assert retry_after_seconds(header, now) == seconds

    def test_one_429_holds_all_workers_back(
        self, open_space: OpenSpace, workspace: Workspace
    ) -> None:
        space = open_space(brands=1, campaigns=60, orders=1, latency_ms=60)
        space.faults.add(
            Fault("/orders", "respond", status=429, headers={"Retry-After": "1"}, times=1)
        )
        space.clock.set_speed(1.0)
        workspace.run(space, workers=4, request_max_retry_delay=1.0, request_backoff_factor=1.0)
        entries = space.journal.entries()
        refused_at = [e.time for e in entries if e.status == 429]
        # Until the refusal has arrived the others send, a request or two each; none sets out during
        # the pause, in which there would be room for 60.
        during = [e for e in entries if 0 < (e.time - refused_at[0]).total_seconds() < 0.9]
        assert len(during) <= 4 * 3
        assert workspace.orders() == true_orders(space)


class TestGivenUp:
    """Failures that stay."""

    @pytest.mark.parametrize(
        ("fault", "words"),
        [
            (Fault(BRANDS, "respond", status=500), "still answered 500"),
            (Fault(BRANDS, "respond", status=429), "still answered 429"),
            (Fault(BRANDS, "reset"), "broke off"),
            (Fault(BRANDS, "cut"), "broke off"),
            (respond(BRANDS, body=HTML), "are not JSON"),
        ],
        ids=["500", "429", "reset", "cut", "html"],
    )
    def test_after_five_tries(
        self, space: SimulatedSpace, client: Client, stats: RunStats, fault: Fault, words: str
    ) -> None:
        space.faults.add(fault)
        with pytest.raises(Unavailable, match=words):
            client.get(BRANDS)
        assert space.journal.requests == 5
        assert stats.counts()["retries"] == 4

    def test_silence(self, space: SimulatedSpace) -> None:
        space.faults.add(Fault(BRANDS, "hang", seconds=20))
        impatient = HttpSettings(request_timeout=0.3, request_max_attempts=1)
        client = Client(space.url, space.project_id, space.api_token, settings=impatient)
        with pytest.raises(Unavailable, match="no answer in time"):
            client.get(BRANDS)
        client.close()

    def test_nothing_listens(self, stats: RunStats) -> None:
        client = Client("http://127.0.0.1:9", "p", "t", settings=QUICK, stats=stats)
        with pytest.raises(Unavailable, match="could not be made"):
            client.get(BRANDS)

    def test_not_found(self, client: Client) -> None:
        with pytest.raises(NotFound, match="404"):
            client.get(f"{BRANDS}/unknown")

    @pytest.mark.parametrize("status", [400, 418, 422])
    def test_an_answer_nobody_promised(
        self, space: SimulatedSpace, client: Client, status: int
    ) -> None:
        space.faults.add(Fault(BRANDS, "respond", status=status))
        with pytest.raises(ProtocolError, match=str(status)):
            client.get(BRANDS)
        assert space.journal.requests == 1


class TestRefusedAccess:
    """401 and 403 end the run at once and say where to look."""

    def test_wrong_token(self, space: SimulatedSpace, workspace: Workspace) -> None:
        from pipelines.signalwire_orders import run

        with pytest.raises(PipelineStepFailed) as failure:
            run(space=space.url, project_id=space.project_id, api_token="wrong")
        sentence, code = explain(failure.value)
        assert "sources.signalwire.api_token" in sentence
        assert code == 1
        assert space.journal.requests == 1

    def test_missing_scope_in_the_middle(self, open_space: OpenSpace, workspace: Workspace) -> None:
        space = open_space(brands=5, campaigns=20)
        space.faults.add(Fault("/orders", "respond", status=403))
        with pytest.raises(PipelineStepFailed) as failure:
            workspace.run(space, workers=2)
        sentence, _ = explain(failure.value)
        assert "Messaging" in sentence
        assert "Numbers" in sentence
        # those that were on their way or next in turn
        assert space.journal.count("/orders") <= walks_for(2)


class TestLists:
    """Lists that are not what a list should be."""

    @pytest.mark.parametrize(
        "body",
        [
            {"links": {}},
            {"links": {}, "data": None},
            {"links": {}, "data": {}},
            [],
        ],
        ids=str,
    )
    def test_without_a_list_in_data_are_an_error(
        self, space: SimulatedSpace, client: Client, stats: RunStats, body: object
    ) -> None:
        space.faults.add(respond(BRANDS, body=body))
        with pytest.raises(ProtocolError, match="without a list"):
            read_list(client, stats)

    @pytest.mark.parametrize("links", ["next", ["x"], {"next": 5}, 7], ids=str)
    def test_with_unreadable_links_are_an_error(
        self, space: SimulatedSpace, client: Client, stats: RunStats, links: object
    ) -> None:
        space.faults.add(respond(BRANDS, body={"links": links, "data": []}))
        with pytest.raises(ProtocolError, match="links"):
            read_list(client, stats)

    @pytest.mark.parametrize(
        "links", [{}, None, {"next": None}, {"next": ""}, {"self": BRANDS}], ids=str
    )
    def test_end_where_there_is_no_next(
        self, space: SimulatedSpace, client: Client, stats: RunStats, links: object
    ) -> None:
        space.faults.add(respond(BRANDS, body={"links": links, "data": [{"id": "b"}]}))
        assert [list(page.records) for page in read_list(client, stats)] == [[{"id": "b"}]]

    def test_an_empty_page_with_next_goes_on(
        self, space: SimulatedSpace, client: Client, stats: RunStats
    ) -> None:
        more = {"links": {"next": f"{BRANDS}?page_size=50"}, "data": []}
        space.faults.add(respond(BRANDS, body=more, times=1))
        assert [len(page.records) for page in read_list(client, stats)] == [0, 2]

    @pytest.mark.parametrize(
        "following", [BRANDS, f"{BRANDS}?page_size=1", f"{BRANDS}?page_number=1"], ids=str
    )
    def test_a_loop_is_an_error(
        self, space: SimulatedSpace, client: Client, stats: RunStats, following: str
    ) -> None:
        space.faults.add(respond(BRANDS, body={"links": {"next": following}, "data": [{}]}))
        with pytest.raises(ProtocolError, match="circles"):
            read_list(client, stats, {"page_size": "1"})
        assert space.journal.requests <= 3

    def test_a_server_that_serves_one_page_for_ever_is_an_error(
        self, space: SimulatedSpace, client: Client, stats: RunStats
    ) -> None:
        for number in range(300):
            link = {"next": f"{BRANDS}?page_number={number}"}
            space.faults.add(respond(BRANDS, body={"links": link, "data": [{"id": "b"}]}, times=1))
        with pytest.raises(ProtocolError, match="circles"):
            read_list(client, stats)


@pytest.mark.parametrize("body", [{}, {"id": "another"}, []], ids=str)
@pytest.mark.parametrize("asked", ["brand", "order"])
def test_an_answer_that_is_not_the_record_asked_for_is_a_failure(
    space: SimulatedSpace, workspace: Workspace, asked: str, body: object
) -> None:
    order_id = space.world.truth_orders()[0][2]["id"]
    brand_id = space.world.truth_brands()[0]["id"]
    space.world.update_order(order_id, state="pending")
    workspace.run(space)
    space.world.remove_order(order_id)
    space.faults.add(respond(f"(orders/{order_id}|brands/{brand_id})$", body=body))
    result = workspace.run(space, **({"brand_ids": [brand_id]} if asked == "brand" else {}))
    assert not result.stats.complete
    assert "without that record" in result.stats.failures[0]


class TestOtherServers:
    """Nothing is sent to another origin, least of all the credentials."""

    @pytest.fixture
    def elsewhere(self) -> Iterator[tuple[str, list[str]]]:
        """A server on another port: its URL, and what reached it."""
        reached: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                reached.append(self.path)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", reached
        server.shutdown()
        thread.join()
        server.server_close()

    @pytest.mark.parametrize(
        "link",
        [
            "{url}/next",
            "//{host}/next",
            "http://user@{host}/next",
            "https://127.0.0.1:1/next",
            "http:\\\\{host}\\next",
        ],
    )
    def test_next_is_not_followed_there(
        self,
        space: SimulatedSpace,
        client: Client,
        stats: RunStats,
        elsewhere: tuple[str, list[str]],
        link: str,
    ) -> None:
        url, reached = elsewhere
        following = link.format(url=url, host=url.removeprefix("http://"))
        space.faults.add(respond(BRANDS, body={"links": {"next": following}, "data": []}))
        with pytest.raises((ProtocolError, NotFound)):
            read_list(client, stats)
        assert reached == []

    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_a_redirect_is_not_followed_there(
        self,
        space: SimulatedSpace,
        client: Client,
        elsewhere: tuple[str, list[str]],
        status: int,
    ) -> None:
        url, reached = elsewhere
        space.faults.add(respond(BRANDS, status=status, headers={"Location": f"{url}/x"}))
        with pytest.raises(ProtocolError, match="another server"):
            client.get(BRANDS)
        assert reached == []

    def test_a_redirect_on_the_same_server_is_followed(
        self, space: SimulatedSpace, client: Client, stats: RunStats
    ) -> None:
        moved = {"Location": f"{BRANDS}?page_size=1"}
        space.faults.add(respond(f"{BRANDS}$", status=302, headers=moved))
        assert len(client.get(BRANDS).payload["data"]) == 1
        assert space.journal.entries()[-1].authorized
        assert stats.counts()["retries"] == 0

    def test_endless_redirects_are_an_error(self, space: SimulatedSpace, client: Client) -> None:
        space.faults.add(respond(BRANDS, status=302, headers={"Location": BRANDS}))
        with pytest.raises(ProtocolError, match="redirects"):
            client.get(BRANDS)


class TestConnections:
    """How the workers use the network."""

    def test_one_kept_alive_per_worker(self, open_space: OpenSpace, workspace: Workspace) -> None:
        space = open_space(brands=3, campaigns=10, latency_ms=5)
        workspace.run(space, workers=4)
        assert space.journal.connections <= 4
        assert 2 <= space.journal.peak_in_flight <= 4

    def test_the_answer_carries_the_servers_clock(
        self, space: SimulatedSpace, client: Client
    ) -> None:
        assert client.get(BRANDS).served_at == int(space.clock.seconds()) * 1_000_000

    def test_an_environment_proxy_is_not_used_for_this_machine(
        self, client: Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert client.get(BRANDS).payload["data"]

    def test_credentials_with_odd_characters(self, open_space: OpenSpace) -> None:
        space = open_space(project_id="pröject", api_token="tökén:with:colons✓")
        client = Client(space.url, space.project_id, space.api_token, settings=QUICK)
        assert client.get(BRANDS).payload["data"]
        client.close()


def test_nothing_shows_the_credentials(client: Client, space: SimulatedSpace) -> None:
    encoded = base64.b64encode(f"{space.project_id}:{space.api_token}".encode()).decode()
    for shown in (repr(client), str(vars(client))):
        assert space.api_token not in shown
        assert encoded not in shown


def test_access_denied_is_told_apart(space: SimulatedSpace) -> None:
    client = Client(space.url, space.project_id, "wrong", settings=QUICK)
    with pytest.raises(AccessDenied, match="401"):
        client.get(BRANDS)
    client.close()
