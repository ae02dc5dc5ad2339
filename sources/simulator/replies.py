"""Responses in the API's format."""

from __future__ import annotations

import math

import orjson
from aiohttp import web

from sources.simulator.paging import errors_body

JSON_TYPE = "application/json; charset=utf-8"


def json_reply(
    body: bytes, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    """A response whose body is already JSON."""
    return web.Response(
        status=status, body=body, headers={"Content-Type": JSON_TYPE, **(headers or {})}
    )


def error(status: int, sentence: str) -> web.Response:
    """The body format of 401, 404 and 500."""
    return json_reply(orjson.dumps({"error": sentence}), status)


def too_many_requests(wait: float) -> web.Response:
    """429; `wait` is in seconds, rounded up because the header takes whole ones."""
    body = errors_body(429, "Too Many Requests", "the rate limit is exceeded", "rate_limited")
    return json_reply(orjson.dumps(body), 429, {"Retry-After": str(math.ceil(wait))})


def too_many_at_once() -> web.Response:
    """429 to one of too many requests under way, which does not say when to come back."""
    body = errors_body(429, "Too Many Requests", "too many requests at a time", "rate_limited")
    return json_reply(orjson.dumps(body), 429)


def not_imitated(method: str, allowed: set[str]) -> web.Response:
    """405: the vendor's API may support the method, the simulator does not."""
    detail = f"{method} is not imitated here: this stand-in can only be read"
    body = errors_body(405, "Method Not Allowed", detail, "method_not_allowed")
    return json_reply(orjson.dumps(body), 405, {"Allow": ", ".join(sorted(allowed))})
