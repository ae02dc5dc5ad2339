"""What an answer of the API means, and what to think of one that is not as it should be.

Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urlsplit

import requests
from urllib3.util import parse_url

from sources.printable import printable
from sources.signalwire.errors import (
    AccessDenied,
    NotFound,
    ProtocolError,
    Refused,
    Unavailable,
)
from sources.signalwire.http.reasons import (
    MARKS_OF_ERRORS,
    error_in,
    presentable,
    reason_of,
)
from sources.signalwire.incremental.cursor import Versions
from sources.signalwire.records.decoding import decoded
from sources.signalwire.settings import PASSING_STATUSES, READ_SIZE

# the records of a page as served, or as rows where `columnar.py` made them
Records: TypeAlias = list[Any] | Versions


class Answer(NamedTuple):
    """A decoded answer: its JSON, where it came from, and the server's clock if it told it.

    Times are in microseconds since the epoch (UTC): `served_at` as the answer told it, cut to whole
    seconds, if other answers do not contradict it; `read_at` when it was read. Both are by the
    server's clock (`clock.py`).
    """

    payload: Any
    url: str
    served_at: int | None
    read_at: int


class NotJson(Exception):
    """A 200 whose body is not JSON: a proxy's page, or a body cut where nobody noticed."""


class ErrorInBody(Exception):
    """A 200 whose body is an error; the text is the server's reason."""


def served_at(response: requests.Response) -> datetime | None:
    """The server's clock when it answered, in UTC and whole seconds, from the Date header."""
    try:
        moment = parsedate_to_datetime(response.headers.get("Date", ""))
        # no clock of a server is further off, and times beyond year 9999 cannot be stored
        if moment.tzinfo and 2000 <= moment.year < 3000:
            return moment.astimezone(timezone.utc)
    except (TypeError, ValueError, OverflowError, IndexError):
        pass
    return None


def read_payload(
    response: requests.Response, decode: Callable[[bytes], Any], secrets: Sequence[str] = ()
) -> None:
    """Reads an answer's body, and decodes it if it is a 200's; else takes the reason from it.

    `response.content` would read it 10 kB at a time, which makes the threads queue for the
    interpreter 20 times a page.

    Raises:
        NotJson: it cannot be decoded.
        ErrorInBody: it is an error. None of the `secrets` is repeated.
    """
    body = b"".join(response.iter_content(READ_SIZE))
    if response.status_code != 200:
        response.said = presentable(reason_of(body), secrets)  # type: ignore[attr-defined]
        return
    try:
        payload = decode(body)
        if any(mark in body for mark in MARKS_OF_ERRORS):
            # a page of orders is decoded later, but for one that may be an error
            payload = decoded(payload) if isinstance(payload, bytes) else payload
            if (said := error_in(payload)) is not None:
                raise ErrorInBody(presentable(said, secrets))
    except ValueError:
        kind = printable(response.headers.get("Content-Type", "no content type").split(";")[0])
        raise NotJson(f"{len(body)} bytes ({kind}) that are not JSON") from None
    response.payload = payload  # type: ignore[attr-defined]


def whole(body: bytes) -> bytes:
    """The body as it is, if it looks like an object's JSON from its first byte to its last.

    One that is cut or another server's page does not; one that does may still be no JSON, which
    shows when it is decoded.

    Raises:
        ValueError: it is no JSON.
    """
    text = body.strip()
    if not (text.startswith(b"{") and text.endswith(b"}")):
        decoded(body)
    return body


def payload_of(response: requests.Response) -> Any:
    status, where = response.status_code, f"GET {shown(response.url)}"
    if status == 200:
        return response.payload  # type: ignore[attr-defined]
    said = getattr(response, "said", "")
    answered = f"answered {status}" + (f" ({said})" if said else "")
    if status == 401:
        raise AccessDenied(
            f"{where} {answered}: the space does not know these credentials; check"
            " sources.signalwire.project_id and sources.signalwire.api_token, and that they"
            " belong to this space"
        )
    if status == 403:
        raise AccessDenied(
            f"{where} {answered}: the API token lacks a scope; it needs Messaging and Numbers"
        )
    if status == 404:
        raise NotFound(f"{where} {answered}: it is gone, or belongs to another project")
    if status in PASSING_STATUSES:
        raise Unavailable(f"{where} still {answered} after all tries")
    kind = Refused if 400 <= status < 500 else ProtocolError
    raise kind(f"{where} {answered}, which this list is not known to do")


def records_of(answer: Answer) -> Records:
    data = answer.payload.get("data") if isinstance(answer.payload, dict) else None
    if not isinstance(data, list | Versions):
        raise ProtocolError(f"GET {shown(answer.url)} answered 200 without a list in 'data'")
    return data


def record_of(answer: Answer, record_id: str) -> Any:
    """The one record that was asked for by its id.

    Raises:
        ProtocolError: it is not that record; that would look as if there were nothing to load.
    """
    if not isinstance(answer.payload, dict) or answer.payload.get("id") != record_id:
        raise ProtocolError(f"GET {shown(answer.url)} answered 200 without that record")
    return answer.payload


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
    """A URL as messages show it: without user or password, printable, shortened."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "a URL that cannot be read"
    host = parts.netloc.rpartition("@")[2]
    text = f"{parts.scheme}://{host}{parts.path}" if host else parts.path
    return printable(text + (f"?{parts.query}" if parts.query else ""))[:200]
