"""The HTTP side of a simulated space: the registry's read endpoints."""

from __future__ import annotations

from collections.abc import Callable

import orjson
from aiohttp import web

from sources.simulator.control import control_app
from sources.simulator.gate import gate
from sources.simulator.orders import Order
from sources.simulator.paging import cut, token_for
from sources.simulator.population import Brand, Campaign
from sources.simulator.replies import json_reply
from sources.simulator.rows import Row, Shelf
from sources.simulator.service import Service

REGISTRY = "/relay/rest/registry/beta"


def build_app(service: Service) -> web.Application:
    """The whole server: the API and the control endpoints."""
    app = web.Application()
    app.add_subapp("/api", api_app(service))
    app.add_subapp("/_control", control_app(service))
    return app


def api_app(service: Service) -> web.Application:
    """The simulated part of the API; other paths pass the gate too."""
    reader = Reader(service)
    app = web.Application(middlewares=[gate(service)])
    routes = {
        "/brands": reader.brands,
        "/brands/{id}": reader.brand,
        "/brands/{id}/campaigns": reader.campaigns,
        "/campaigns/{id}": reader.campaign,
        "/campaigns/{id}/orders": reader.orders,
        "/campaigns/{id}/numbers": reader.numbers,
        "/orders/{id}": reader.order,
    }
    for path, handler in routes.items():
        app.router.add_get(REGISTRY + path, handler, allow_head=False)
    return app


class Reader:
    """One handler per endpoint. Undocumented filters are ignored."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._world = service.world

    async def brands(self, request: web.Request) -> web.Response:
        return self._list(request, self._world.brands, "filter_name", "filter_state")

    async def brand(self, request: web.Request) -> web.Response:
        return self._one(request, Brand)

    async def campaigns(self, request: web.Request) -> web.Response:
        def campaigns() -> Shelf:
            return self._world.find(Brand, request.match_info["id"]).campaigns

        return self._list(request, campaigns, "filter_name", "filter_state")

    async def campaign(self, request: web.Request) -> web.Response:
        return self._one(request, Campaign)

    async def orders(self, request: web.Request) -> web.Response:
        return self._list(request, lambda: self._campaign(request).orders, "filter_state")

    async def numbers(self, request: web.Request) -> web.Response:
        return self._list(request, lambda: self._campaign(request).numbers, "filter_state")

    async def order(self, request: web.Request) -> web.Response:
        return self._one(request, Order)

    def _campaign(self, request: web.Request) -> Campaign:
        return self._world.find(Campaign, request.match_info["id"])

    def _one(self, request: web.Request, kind: type[Row]) -> web.Response:
        with self._world.lock:
            row = self._world.find(kind, request.match_info["id"])
            return json_reply(self._world.json_of(row))

    def _list(
        self, request: web.Request, shelf: Callable[[], Shelf], *filters: str
    ) -> web.Response:
        service, path, query = self._service, request.rel_url.raw_path, dict(request.query)
        asked = {name: query[name] for name in filters if name in query}
        # One lock from the count to the last row: tests edit the world from another thread.
        with self._world.lock:
            listing = self._world.listing(
                shelf(), asked.get("filter_state"), asked.get("filter_name")
            )
            page = cut(
                len(listing),
                path,
                query,
                token=token_for(service.page_token_seed, path),
                filters=filters,
                max_page_size=service.max_page_size,
                origin=str(request.url.origin()) if service.absolute_links else "",
            )
            rows = listing.page(page.start, page.stop)
        links = orjson.dumps(page.links)
        return json_reply(b'{"links":' + links + b',"data":[' + b",".join(rows) + b"]}")
