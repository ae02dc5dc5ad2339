"""The control endpoints: how a person or another process changes a simulated space.

They need no credentials (the server listens on loopback only) and are not in the journal.
"""

from __future__ import annotations

import time
from typing import Any

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler

from sources.simulator.faults import Fault
from sources.simulator.replies import json_reply
from sources.simulator.rows import NotFoundError
from sources.simulator.service import Service


def control_app(service: Service) -> web.Application:
    control = Control(service)
    app = web.Application(middlewares=[_sentences])
    app.router.add_routes(
        [
            web.get("/journal", control.journal),
            web.delete("/journal", control.clear_journal),
            web.get("/faults", control.faults),
            web.post("/faults", control.add_fault),
            web.delete("/faults", control.clear_faults),
            web.post("/latency", control.set_latency),
            web.get("/clock", control.clock),
            web.post("/clock", control.set_clock),
            web.get("/truth/orders", control.truth),
            web.post("/orders", control.add_order),
            web.patch("/orders/{id}", control.update_order),
            web.delete("/orders/{id}", control.remove_order),
            web.get("/stats", control.stats),
        ]
    )
    return app


class InputError(ValueError):
    """Invalid input: answered 422 with this message."""


@web.middleware
async def _sentences(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn what can go wrong into a status and one sentence."""
    try:
        return await handler(request)
    except ValueError as error:
        # The world, the clock and the faults raise ValueError with a message, too.
        return _json({"error": str(error)}, 422)
    except NotFoundError as error:
        return _json({"error": str(error)}, 404)
    except web.HTTPException as error:
        return _json({"error": f"{request.method} {request.path}: {error.reason}"}, error.status)


class Control:
    """One handler per endpoint."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._world = service.world

    async def journal(self, _: web.Request) -> web.Response:
        journal = self._service.journal
        return _json(
            {
                "requests": journal.requests,
                "connections": journal.connections,
                "peak_in_flight": journal.peak_in_flight,
                "entries": [entry.as_json() for entry in journal.entries()],
            }
        )

    async def clear_journal(self, _: web.Request) -> web.Response:
        self._service.journal.clear()
        return _json({})

    async def faults(self, _: web.Request) -> web.Response:
        return _json(self._service.faults.as_json())

    async def add_fault(self, request: web.Request) -> web.Response:
        self._service.faults.add(Fault.from_json(await _object(request)))
        return _json(self._service.faults.as_json(), 201)

    async def clear_faults(self, _: web.Request) -> web.Response:
        self._service.faults.clear()
        return _json([])

    async def set_latency(self, request: web.Request) -> web.Response:
        milliseconds = _number(await _object(request), "ms")
        if milliseconds < 0:
            raise InputError("ms must be 0 or more")
        self._service.latency_ms = milliseconds
        return _json({"ms": milliseconds})

    async def clock(self, _: web.Request) -> web.Response:
        clock = self._service.clock
        return _json({"now": clock.now().isoformat(), "speed": clock.speed})

    async def set_clock(self, request: web.Request) -> web.Response:
        data = await _object(request)
        if not data or set(data) - {"advance", "speed"}:
            raise InputError("send advance (seconds), speed, or both")
        if "speed" in data:
            self._service.clock.set_speed(_number(data, "speed"))
        if "advance" in data:
            self._service.clock.advance(_number(data, "advance"))
        return await self.clock(request)

    async def truth(self, _: web.Request) -> web.Response:
        """Every order served now, one JSON object per line."""
        lines = (
            orjson.dumps({"brand_id": brand_id, "campaign_id": campaign_id, "order": order})
            for brand_id, campaign_id, order in self._world.truth_orders()
        )
        body = b"".join(line + b"\n" for line in lines)
        return web.Response(body=body, headers={"Content-Type": "application/x-ndjson"})

    async def add_order(self, request: web.Request) -> web.Response:
        data = await _object(request)
        campaign_id, fields = data.get("campaign_id"), data.get("fields", {})
        if not isinstance(campaign_id, str) or not isinstance(fields, dict):
            raise InputError("send campaign_id (a string) and, if need be, fields (an object)")
        return _json({"id": self._world.add_order(campaign_id, **fields)}, 201)

    async def update_order(self, request: web.Request) -> web.Response:
        self._world.update_order(request.match_info["id"], **await _object(request))
        return _json({"id": request.match_info["id"]})

    async def remove_order(self, request: web.Request) -> web.Response:
        self._world.remove_order(request.match_info["id"])
        return _json({"id": request.match_info["id"]})

    async def stats(self, _: web.Request) -> web.Response:
        """Figures for benchmarks. Counting generates records that were not read yet."""
        return _json(
            {
                "requests": self._service.journal.requests,
                "cpu_seconds": time.process_time(),
                "records": self._world.counts(),
            }
        )


def _json(data: Any, status: int = 200) -> web.Response:
    # A trailing newline is easier to read in a terminal.
    return json_reply(orjson.dumps(data) + b"\n", status)


async def _object(request: web.Request) -> dict[str, Any]:
    try:
        data = orjson.loads(await request.read())
    except orjson.JSONDecodeError as error:
        raise InputError(f"the body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise InputError("the body must be a JSON object")
    return data


def _number(data: dict[str, Any], name: str) -> float:
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise InputError(f"{name} must be a number")
    return value
