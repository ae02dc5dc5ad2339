"""Requests as the walks ask for them, and lists followed page by page. Nothing here sends anything.

A walk is a generator: it yields a request and is sent the answer, so that whoever drives it decides
how many of them are under way (`workers.py`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

from sources.signalwire.errors import NotFound, ProtocolError, ReadError, Refused
from sources.signalwire.http.responses import Answer, Records, next_of, records_of, shown
from sources.signalwire.records.convert import Origin
from sources.signalwire.settings import MAX_PAGES_WITHOUT_NEWS
from sources.signalwire.stats import RunStats


class Get(NamedTuple):
    """A request for one URL: `path` is a path below the space, or a URL of the same origin.

    With `orders_of` it is for a page of that campaign's orders, which becomes columns where it can
    (`columnar.py`); otherwise the answer is as the JSON has it.
    """

    path: str
    params: Mapping[str, str] | None = None
    orders_of: Origin | None = None


class Page(NamedTuple):
    """One page of a list; times as in an `Answer`.

    `number` counts from 1. A list that is begun again has a first page again.
    """

    records: Records
    served_at: int | None
    read_at: int
    number: int

    @property
    def plain(self) -> list[Any]:
        """The records of a page that was not asked for as one of orders."""
        assert isinstance(self.records, list)
        return self.records


class Listing:
    """A list, followed to its end through `links.next`, in the API's order.

    As long as `next` has a request, its answer is to be given to `page`. `turn` does so, and begins
    the list again, once, where the API refuses a page after the first: links to pages expire, and
    lists become shorter.
    """

    def __init__(self, first: Get, stats: RunStats) -> None:
        self._first = first
        self._stats = stats
        self._answer: Answer | None = None
        self._number = 0
        self._refusal: ReadError | None = None
        self._followed: set[str] = set()
        self._before: Records = []
        self._barren = 0

    @property
    def goes_on(self) -> bool:
        """Whether the page read last says that another one follows."""
        return self._answer is not None and next_of(self._answer) is not None

    def next(self) -> Get | None:
        """The request for the next page; None after the last one.

        Raises:
            ProtocolError: the list cannot end, or where it points to cannot be read.
        """
        if self._answer is None:
            return self._first
        following = next_of(self._answer)
        if following is None:
            return None
        try:
            url = urljoin(self._answer.url, following)
        except ValueError:
            raise ProtocolError(
                f"GET {shown(self._answer.url)} answered with a 'next' that is no URL"
            ) from None
        if url in self._followed or self._barren >= MAX_PAGES_WITHOUT_NEWS:
            raise ProtocolError(
                f"the list {shown(self._first.path)} goes round in circles at {shown(url)}"
            )
        self._followed.add(url)
        return Get(url, None, self._first.orders_of)

    def turn(self, request: Get) -> Generator[Get, Answer, Page]:
        """Yields the request, and returns its page or the first one of the list begun again.

        Raises:
            ReadError: the page cannot be read, and the list was begun again before or need not be.
        """
        while True:
            try:
                return self.page((yield request))
            except ReadError as error:
                self._begin_again(error)
            request = self._first

    def _begin_again(self, error: ReadError) -> None:
        if self._refusal is not None:
            raise type(error)(f"{error}; the list was begun again after {self._refusal}") from None
        if self._answer is None or not isinstance(error, NotFound | Refused):
            raise error
        self._refusal, self._answer, self._number = error, None, 0
        self._before, self._barren = [], 0
        self._followed.clear()
        self._stats.add(retries=1)

    def page(self, answer: Answer) -> Page:
        """The page that came as the answer. ProtocolError if it is none."""
        if self._answer is None:
            self._followed.add(answer.url)
        self._answer = answer
        records = records_of(answer)
        self._stats.add(pages=1)
        news = len(records) > 0 and records != self._before
        self._barren, self._before = 0 if news else self._barren + 1, records
        self._number += 1
        return Page(records, answer.served_at, answer.read_at, self._number)
