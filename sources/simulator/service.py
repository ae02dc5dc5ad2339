"""What the server's parts share: the world, the settings and the credentials."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field

from sources.simulator.clock import Clock
from sources.simulator.faults import Faults
from sources.simulator.journal import Journal
from sources.simulator.rate_limit import RateLimit
from sources.simulator.world import World


@dataclass
class Service:
    """A running simulated space. Its settings may change while it serves."""

    world: World
    project_id: str
    api_token: str = field(repr=False)
    page_token_seed: object
    max_page_size: int
    latency_ms: float = 0.0
    absolute_links: bool = False
    rate_limit: RateLimit | None = None
    # requests under way: how many are not refused, and beyond how many all become slower
    most_at_once: int | None = None
    slows_beyond: int | None = None
    on_request: Callable[[str], None] | None = None
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def clock(self) -> Clock:
        return self.world.clock

    def knows(self, authorization: str) -> bool:
        """Whether an Authorization header has the right credentials, in constant time."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except (binascii.Error, ValueError):
            given = b""
        right = f"{self.project_id}:{self.api_token}".encode()
        return hmac.compare_digest(given, right) and scheme.lower() == "basic"

    async def pause(self, seconds: float | None) -> None:
        """Sleep (None: forever), at most until the server stops."""
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)
