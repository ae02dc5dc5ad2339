"""Responses that fail while they are sent.

The failure happens during sending, so the request is in the journal before its client notices.
"""

from __future__ import annotations

import socket
import struct
from typing import cast

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from sources.simulator.service import Service


class Reset(web.StreamResponse):
    """No response: the connection is reset."""

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        _reset(request)
        # The server drops the connection on this error without logging.
        raise ConnectionResetError("reset on purpose")


class Hang(Reset):
    """No response for `seconds` (0: until the server stops), then a reset."""

    def __init__(self, service: Service, seconds: float) -> None:
        super().__init__()
        self._service = service
        self._seconds = seconds

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        with self._service.journal.under_way(request.transport):
            await self._service.pause(self._seconds or None)
        return await super().prepare(request)


class Cut(web.StreamResponse):
    """The headers of another response and half of its body, then the end of the connection."""

    def __init__(self, whole: web.Response) -> None:
        super().__init__(status=whole.status, headers=whole.headers)
        self._whole = cast("bytes", whole.body or b"")
        self.content_length = len(self._whole)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        await super().prepare(request)
        await self.write(self._whole[: len(self._whole) // 2])
        if request.transport is not None:
            request.transport.close()
        raise ConnectionResetError("cut on purpose")


def _reset(request: web.BaseRequest) -> None:
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # Lingering for 0 seconds turns the close into a reset (RST).
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
