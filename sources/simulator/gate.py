"""What every API request passes through: journal, latency, faults, rate limit, credentials."""

from __future__ import annotations

import asyncio
import logging
import time
from email.utils import format_datetime
from typing import cast

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sources.simulator import replies
from sources.simulator.disruptions import Cut, Hang, Reset
from sources.simulator.faults import Fault
from sources.simulator.journal import Entry
from sources.simulator.paging import PageError
from sources.simulator.rows import NotFoundError
from sources.simulator.service import Service

logger = logging.getLogger(__name__)


def gate(service: Service) -> Middleware:
    """The middleware of the API."""

    @web.middleware
    async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
        return await Passage(service, request, handler).response()

    return pass_through


class Passage:
    """One request on its way through the gate."""

    def __init__(self, service: Service, request: web.Request, handler: Handler) -> None:
        self._service, self._request, self._handler = service, request, handler
        self._began = time.perf_counter()
        self._moment = service.clock.now()
        header = request.headers.get("Authorization")
        self._credentials_sent = header is not None
        self._authorized = header is not None and service.knows(header)
        self._fault: Fault | None = None

    async def response(self) -> web.StreamResponse:
        status = None
        with self._service.journal.under_way(self._request.transport):
            try:
                response = await self._answer()
                status = None if isinstance(response, Reset) else response.status
            except Exception:
                logger.exception("The simulated space failed at %s", self._request.path)
                response = replies.error(500, "Internal Server Error")
                status = 500
            finally:
                self._service.journal.add(self._entry(status))
        # Clients take this header for the server's clock, so it has to be the simulated one.
        date = format_datetime(self._service.clock.now(), usegmt=True)
        response.headers.setdefault("Date", date)
        return response

    async def _answer(self) -> web.StreamResponse:
        service, request = self._service, self._request
        crowd = service.journal.number_under_way
        if service.most_at_once is not None and crowd > service.most_at_once:
            return replies.too_many_at_once()
        if service.latency_ms > 0:
            times = crowd / service.slows_beyond if service.slows_beyond else 1
            await asyncio.sleep(max(1, times) * service.latency_ms / 1000)
        if service.on_request is not None:
            service.on_request(request.raw_path)
        self._fault = service.faults.take(request.raw_path)
        return await (self._right_answer() if self._fault is None else self._strike(self._fault))

    async def _strike(self, fault: Fault) -> web.StreamResponse:
        if fault.kind == "reset":
            return Reset()
        if fault.kind == "hang":
            return Hang(self._service, fault.seconds)
        if fault.kind == "respond":
            body, content_type = fault.content()
            headers = {"Content-Type": content_type, **fault.headers}
            return web.Response(status=fault.status, headers=headers, body=body)
        if fault.kind == "headers":
            response = await self._right_answer()
            response.headers.update(fault.headers)
            return response
        if fault.kind == "delay":
            await self._service.pause(fault.seconds)
            return await self._right_answer()
        return Cut(await self._right_answer())

    async def _right_answer(self) -> web.Response:
        limit = self._service.rate_limit
        wait = limit.wait(time.monotonic()) if limit is not None else 0.0
        if wait > 0:
            return replies.too_many_requests(wait)
        if not self._authorized:
            return replies.error(401, "Unauthorized")
        try:
            return cast("web.Response", await self._handler(self._request))
        except (NotFoundError, web.HTTPNotFound):
            return replies.error(404, "Not Found")
        except web.HTTPMethodNotAllowed as refusal:
            return replies.not_imitated(refusal.method, refusal.allowed_methods)
        except PageError as bad:
            return replies.json_reply(orjson.dumps(bad.body()), 422)

    def _entry(self, status: int | None) -> Entry:
        path, _, query = self._request.raw_path.partition("?")
        return Entry(
            method=self._request.method,
            path=path,
            query=query,
            status=status,
            time=self._moment,
            duration=time.perf_counter() - self._began,
            authorized=self._authorized,
            credentials_sent=self._credentials_sent,
            fault=self._fault.kind if self._fault else None,
        )
