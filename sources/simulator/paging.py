"""Pages of a list: their rows and links. Pure.

As documented: `page_size` (default 50), `page_number` from 0, and a `page_token`, which only the
links contain, for all but the first page. A page is an offset: additions and removals between two
requests shift the rows.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

DEFAULT_PAGE_SIZE = 50
DOCUMENTED_MAX_PAGE_SIZE = 1000


class PageError(ValueError):
    """The request names no valid page: the API answers 422 with `body()`."""

    def __init__(self, parameter: str, detail: str, code: str) -> None:
        super().__init__(f"{parameter} {detail}")
        self.code = code

    def body(self) -> dict[str, Any]:
        return errors_body(422, "Unprocessable Entity", str(self), self.code)


class Page(NamedTuple):
    """Rows `start` to `stop`, counted from the newest, and the links that come with them."""

    start: int
    stop: int
    links: dict[str, str]


def errors_body(status: int, title: str, detail: str, code: str) -> dict[str, Any]:
    """The body of the errors that are not a plain `{"error": …}`."""
    return {"errors": [{"detail": detail, "status": str(status), "title": title, "code": code}]}


def token_for(seed: object, path: str) -> str:
    """The page token of a list: opaque, the same for all its pages."""
    digest = hashlib.sha256(f"{seed} {path}".encode()).digest()
    return f"PA{uuid.UUID(bytes=digest[:16], version=4)}"


def cut(
    total: int,
    path: str,
    query: Mapping[str, str],
    *,
    token: str,
    filters: Sequence[str] = (),
    max_page_size: int = DOCUMENTED_MAX_PAGE_SIZE,
    origin: str = "",
) -> Page:
    """The page that `query` requests, of a list of `total` rows at `path`.

    A page size is capped at `max_page_size`. Links keep the filters and the page size;
    they are relative unless an `origin` such as `http://127.0.0.1:8080` is given. Raises PageError.
    """
    size = min(_number(query, "page_size", DEFAULT_PAGE_SIZE, at_least=1), max_page_size)
    number = _number(query, "page_number", 0, at_least=0)
    if number > 0:
        _check_token(query.get("page_token"), token)
    kept = {name: query[name] for name in filters if name in query}

    def link(**place: object) -> str:
        return f"{origin}{path}?{urlencode({**kept, **place})}"

    def link_to(page: int) -> str:
        proof = {"page_token": token} if page > 0 else {}
        return link(page_number=page, page_size=size, **proof)

    start, stop = number * size, (number + 1) * size
    links = {"self": link_to(number), "first": link(page_size=size)}
    if stop < total:
        links["next"] = link_to(number + 1)
    if number > 0:
        links["prev"] = link_to(number - 1)
    return Page(start, stop, links)


def _number(query: Mapping[str, str], name: str, default: int, *, at_least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    # Nine digits are plenty; int() would accept signs, spaces, underscores and other scripts.
    if not (text.isascii() and text.isdigit() and len(text) <= 9) or int(text) < at_least:
        raise PageError(name, f"must be a whole number, {at_least} or more", "invalid_parameter")
    return int(text)


def _check_token(given: str | None, expected: str) -> None:
    if given is None:
        raise PageError(
            "page_token", "is required once page_number is above 0", "missing_parameter"
        )
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise PageError("page_token", "is not one that this list gave out", "invalid_parameter")
