"""Lists, followed page by page through `links.next`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeAlias
from urllib.parse import urljoin

from sources.signalwire.errors import NotFound, ProtocolError, ReadError, Refused
from sources.signalwire.http.responses import Response, next_of, records_of, shown
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.settings import MAX_PAGES_WITHOUT_NEWS
from sources.signalwire.stats import RunStats

# sends a GET to a path below the space, or a URL of the same origin, with parameters
Get: TypeAlias = Callable[[str, Mapping[str, str] | None], Awaitable[Response]]


class Listing:
    """The pages of a list in the API's order, to be iterated with `async for`.

    Iteration can be left and resumed. The list is restarted, once, where the API refuses a page
    after the first: links to pages expire, and lists become shorter.

    Raises while it is iterated:
        ReadError: a page cannot be read, and restarting the list did not or would not help.
        ProtocolError: the list cannot end, or where it points to cannot be read.
    """

    def __init__(
        self, get: Get, origin: Origin, stats: RunStats, params: Mapping[str, str] | None = None
    ) -> None:
        """`params` are those of the first page; links to the others have their own."""
        self._get = get
        self._origin = origin
        self._params = params
        self._stats = stats
        self._refusal: ReadError | None = None
        self._start()

    def _start(self) -> None:
        self._last: Response | None = None
        self._number = 0
        self._followed: set[str] = set()
        self._before: Sequence[Any] = []
        self._pages_without_news = 0

    @property
    def goes_on(self) -> bool:
        """Whether another page follows the one read last."""
        return self._last is not None and next_of(self._last) is not None

    def __aiter__(self) -> Listing:
        return self

    async def __anext__(self) -> PageRecords:
        while (path := self._following()) is not None:
            params = self._params if self._last is None else None
            try:
                return self._page(await self._get(path, params))
            except ReadError as error:
                self._begin_again(error)
        raise StopAsyncIteration

    def _following(self) -> str | None:
        """Where the next page is; None after the last one."""
        if self._last is None:
            return self._origin.path
        link = next_of(self._last)
        if link is None:
            return None
        try:
            url = urljoin(self._last.url, link)
        except ValueError:
            raise ProtocolError(
                f"GET {shown(self._last.url)} answered with a 'next' that is no URL"
            ) from None
        if url in self._followed or self._pages_without_news >= MAX_PAGES_WITHOUT_NEWS:
            raise ProtocolError(
                f"the list {shown(self._origin.path)} goes round in circles at {shown(url)}"
            )
        self._followed.add(url)
        return url

    def _page(self, response: Response) -> PageRecords:
        records = records_of(response)
        if self._last is None:
            self._followed.add(response.url)
        self._last = response
        self._stats.add(pages=1)
        news = bool(records) and records != self._before
        self._pages_without_news = 0 if news else self._pages_without_news + 1
        self._before = records
        self._number += 1
        return PageRecords(
            self._origin, records, response.read_at, response.served_at, self._number
        )

    def _begin_again(self, error: ReadError) -> None:
        if self._refusal is not None:
            raise type(error)(f"{error}; the list was restarted after {self._refusal}") from None
        if self._last is None or not isinstance(error, NotFound | Refused):
            raise error
        self._refusal = error
        self._start()
        self._stats.add(retries=1)
