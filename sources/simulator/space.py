"""A simulated space: a server in its own thread, and access to its world."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable
from types import TracebackType

from aiohttp import web

from sources.simulator.clock import Clock
from sources.simulator.faults import Faults
from sources.simulator.journal import Journal
from sources.simulator.loopback import require_loopback, url_of
from sources.simulator.paging import DOCUMENTED_MAX_PAGE_SIZE
from sources.simulator.rate_limit import RateLimit
from sources.simulator.records import draw_id
from sources.simulator.server import build_app
from sources.simulator.service import Service
from sources.simulator.world import World

# How long a response in flight may take when the server stops, in seconds.
PATIENCE = 0.05


class SimulatedSpace:
    """A simulated SignalWire space on loopback, started and stopped as a context manager.

    `world`, `clock`, `faults` and `journal` may be used from any thread, before, while and after
    it serves. `on_request` is called in the server's thread with the path and query of each API
    request before its answer is computed. `rate_limit` is in requests per real second. Requests
    beyond `most_at_once` under way are answered 429; beyond `slows_beyond`, the latency grows with
    their number.
    Missing credentials are generated from the seed.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        brands: int = 5,
        campaigns: int = 4,
        orders: int = 30,
        numbers: int = 3,
        arrivals_per_day: float | None = None,
        campaigns_per_month: float = 0,
        slower_campaigns: int = 0,
        latency_ms: float = 0,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        max_page_size: int = DOCUMENTED_MAX_PAGE_SIZE,
        absolute_links: bool = False,
        rate_limit: float | None = None,
        most_at_once: int | None = None,
        slows_beyond: int | None = None,
        project_id: str | None = None,
        api_token: str | None = None,
        on_request: Callable[[str], None] | None = None,
    ) -> None:
        self._host, self._port = require_loopback(host), port
        drawn_id, drawn_token = _draw_credentials(seed)
        self.world = World(
            seed, brands, campaigns, orders, clock, numbers=numbers,
            arrivals_per_day=arrivals_per_day, campaigns_per_month=campaigns_per_month,
            slower_campaigns=slower_campaigns,
        )  # fmt: skip
        self._service = Service(
            world=self.world,
            project_id=project_id or drawn_id,
            api_token=api_token or drawn_token,
            page_token_seed=seed,
            max_page_size=max_page_size,
            absolute_links=absolute_links,
            rate_limit=None if rate_limit is None else RateLimit(rate_limit),
            most_at_once=most_at_once,
            slows_beyond=slows_beyond,
            on_request=on_request,
        )
        self.set_latency(latency_ms)
        self._thread: threading.Thread | None = None
        self._started = threading.Event()
        self._failure: OSError | None = None
        self._url: str | None = None

    @property
    def url(self) -> str:
        """`http://127.0.0.1:40123`, without a trailing slash; known after the start."""
        if self._url is None:
            raise RuntimeError("the simulated space has not been started")
        return self._url

    @property
    def project_id(self) -> str:
        return self._service.project_id

    @property
    def api_token(self) -> str:
        return self._service.api_token

    @property
    def auth(self) -> tuple[str, str]:
        """User name and password for HTTP Basic authentication."""
        return self.project_id, self.api_token

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def faults(self) -> Faults:
        return self._service.faults

    @property
    def journal(self) -> Journal:
        return self._service.journal

    @property
    def max_page_size(self) -> int:
        """The cap for `page_size`."""
        return self._service.max_page_size

    @max_page_size.setter
    def max_page_size(self, rows: int) -> None:
        self._service.max_page_size = rows

    @property
    def on_request(self) -> Callable[[str], None] | None:
        return self._service.on_request

    @on_request.setter
    def on_request(self, hook: Callable[[str], None] | None) -> None:
        self._service.on_request = hook

    def set_latency(self, ms: float) -> None:
        """Delay every API response by that many real milliseconds."""
        if ms < 0:
            raise ValueError("a latency is a number of milliseconds, 0 or more")
        self._service.latency_ms = ms

    def start(self) -> None:
        """Start serving; returns once connections are accepted. OSError if it cannot listen."""
        if self._thread is not None:
            raise RuntimeError("the simulated space has been started already")
        self._started.clear()
        self._failure = None
        self._thread = threading.Thread(target=self._run, name="simulated-space", daemon=True)
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            self.stop()
            raise self._failure

    def stop(self) -> None:
        """Stop serving; requests in flight lose their connection."""
        if self._thread is None:
            return
        self._started.wait()
        if self._failure is None:
            self._loop.call_soon_threadsafe(self._service.stopping.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> SimulatedSpace:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<SimulatedSpace {self._url or 'not started'} project_id={self.project_id!r}>"

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except OSError as failure:
            self._failure = failure
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._service.stopping = asyncio.Event()
        runner = web.AppRunner(
            build_app(self._service),
            access_log=None,
            # A request whose client disconnected should not count as in flight.
            handler_cancellation=True,
            shutdown_timeout=PATIENCE,
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
            self._url = url_of(*runner.addresses[0][:2])
            self._started.set()
            await self._service.stopping.wait()
        finally:
            await runner.cleanup()


def _draw_credentials(seed: int) -> tuple[str, str]:
    rng = random.Random(f"{seed}/credentials")
    return draw_id(rng), f"PT{rng.getrandbits(192):048x}"
