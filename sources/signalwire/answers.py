"""What an answer of the API means, and what to think of one that is not as it should be.

Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import orjson
import pyarrow as pa
import requests
from urllib3.util import parse_url

from sources.signalwire.errors import AccessDenied, NotFound, ProtocolError, Unavailable
from sources.signalwire.settings import READ_SIZE

# the records of a page as served, or, where a decoder made them, rows
Records: TypeAlias = list[Any] | pa.Table


class Answer(NamedTuple):
    """A decoded answer: its JSON, where it came from, and the server's clock if it told it.

    `served_at` is in microseconds since the epoch (UTC), cut to whole seconds.
    """

    payload: Any
    url: str
    served_at: int | None


class NotJson(Exception):
    """A 200 whose body is not JSON: a proxy's page, or a body cut where nobody noticed."""


def served_at(response: requests.Response) -> datetime | None:
    """The server's clock when it answered, in UTC and whole seconds, from the Date header."""
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", ""))
    except (TypeError, ValueError):
        return None
    return moment.astimezone(timezone.utc) if moment.tzinfo else None


def read_payload(response: requests.Response, decode: Callable[[bytes], Any]) -> None:
    """Reads an answer's body, and decodes it if it is a 200's.

    `response.content` would read it 10 kB at a time, which makes the threads queue for the
    interpreter 20 times a page.

    Raises:
        NotJson: it cannot be decoded.
    """
    body = b"".join(response.iter_content(READ_SIZE))
    if response.status_code != 200:
        return
    try:
        response.payload = decode(body)  # type: ignore[attr-defined]
    except orjson.JSONDecodeError:
        kind = response.headers.get("Content-Type", "no content type").split(";")[0]
        raise NotJson(f"{len(body)} bytes ({kind}) that are not JSON") from None


def payload_of(response: requests.Response) -> Any:
    status, where = response.status_code, f"GET {shown(response.url)}"
    if status == 200:
        return response.payload  # type: ignore[attr-defined]
    if status == 401:
        raise AccessDenied(
            f"{where} answered 401: the space does not know these credentials; check"
            " sources.signalwire.project_id and sources.signalwire.api_token, and that they"
            " belong to this space"
        )
    if status == 403:
        raise AccessDenied(
            f"{where} answered 403: the API token lacks a scope; it needs Messaging and Numbers"
        )
    if status == 404:
        raise NotFound(f"{where} answered 404: it is gone, or belongs to another project")
    if status == 429 or status >= 500:
        raise Unavailable(f"{where} still answered {status} after all tries")
    raise ProtocolError(f"{where} answered {status}, which this list is not known to do")


def records_of(answer: Answer) -> Records:
    data = answer.payload.get("data") if isinstance(answer.payload, dict) else None
    if isinstance(data, pa.Table):
        return data
    if not isinstance(data, list):
        raise ProtocolError(f"GET {shown(answer.url)} answered 200 without a list in 'data'")
    return data


def next_of(answer: Answer) -> str | None:
    links = answer.payload.get("links") or {}
    following = links.get("next") if isinstance(links, dict) else links
    if following is None or following == "":
        return None
    if not isinstance(links, dict) or not isinstance(following, str):
        raise ProtocolError(f"GET {shown(answer.url)} answered with 'links' that cannot be read")
    return following


def origin(url: str) -> tuple[str | None, str | None, int | None]:
    # urllib3's parser, because it is the one that decides where the connection goes
    parsed = parse_url(url)
    default = {"http": 80, "https": 443}.get(parsed.scheme or "")
    return parsed.scheme, parsed.host, parsed.port or default


def shown(url: str) -> str:
    """A URL as messages show it: without user or password, shortened."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    text = f"{parts.scheme}://{host}{parts.path}" if host else parts.path
    return (text + (f"?{parts.query}" if parts.query else ""))[:200]


def reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"the secure connection could not be made ({error})"
    if isinstance(error, requests.ConnectionError):
        return "the connection could not be made or broke off"
    return f"{type(error).__name__}: the answer broke off or could not be read"
