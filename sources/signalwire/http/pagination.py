"""Lists, followed page by page through `links.next`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urljoin

from sources.signalwire.errors import NotFound, ProtocolError, ReadError, Refused
from sources.signalwire.http.responses import Response, next_of, records_of, shown
from sources.signalwire.settings import MAX_PAGES_WITHOUT_NEWS
from sources.signalwire.stats import RunStats


class Request(NamedTuple):
    """A GET: `path` is a path below the space, or a URL of the same origin."""

    path: str
    params: Mapping[str, str] | None = None


Get: TypeAlias = Callable[[Request], Awaitable[Response]]


class Page(NamedTuple):
    """One page of a list; times as in a `Response`.

    `number` counts from 1. A restarted list has a first page again.
    """

    records: Sequence[Any]
    served_at: int | None
    read_at: int
    number: int


class Listing:
    """The pages of a list in the API's order, to be iterated with `async for`.

    Iteration can be left and resumed. The list is restarted, once, where the API refuses a page
    after the first: links to pages expire, and lists become shorter.

    Raises while it is iterated:
        ReadError: a page cannot be read, and restarting the list did not or would not help.
        ProtocolError: the list cannot end, or where it points to cannot be read.
    """

    def __init__(self, get: Get, first: Request, stats: RunStats) -> None:
        self._get = get
        self._first = first
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

    async def __anext__(self) -> Page:
        while (request := self._following()) is not None:
            try:
                return self._page(await self._get(request))
            except ReadError as error:
                self._begin_again(error)
        raise StopAsyncIteration

    def _following(self) -> Request | None:
        """The request for the next page; None after the last one."""
        if self._last is None:
            return self._first
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
                f"the list {shown(self._first.path)} goes round in circles at {shown(url)}"
            )
        self._followed.add(url)
        return Request(url)

    def _page(self, response: Response) -> Page:
        records = records_of(response)
        if self._last is None:
            self._followed.add(response.url)
        self._last = response
        self._stats.add(pages=1)
        news = bool(records) and records != self._before
        self._pages_without_news = 0 if news else self._pages_without_news + 1
        self._before = records
        self._number += 1
        return Page(records, response.served_at, response.read_at, self._number)

    def _begin_again(self, error: ReadError) -> None:
        if self._refusal is not None:
            raise type(error)(f"{error}; the list was restarted after {self._refusal}") from None
        if self._last is None or not isinstance(error, NotFound | Refused):
            raise error
        self._refusal = error
        self._start()
        self._stats.add(retries=1)
