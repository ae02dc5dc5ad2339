"""Validates API responses: from a status and a body to a value or an error. Sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
from urllib3.util import parse_url

from sources.printable import printable
from sources.signalwire.errors import AccessDenied, NotFound, ProtocolError, Refused, Unavailable
from sources.signalwire.http.reasons import error_in, presentable, reason_of
from sources.signalwire.records.decoding import Records, decoded
from sources.signalwire.settings import PASSING_STATUSES, READ_SIZE


class Response(NamedTuple):
    """A decoded response: its JSON, its URL, and the server's clock if that is known.

    Times are in microseconds since the epoch (UTC), by the server's clock (`server_clock.py`):
    `served_at` from the Date header, in whole seconds; `read_at` when it was read.
    """

    payload: Any
    url: str
    served_at: int | None
    read_at: int


class NotJson(Exception):
    """A 200 whose body is not JSON: a proxy's page, or a truncated body."""


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


def read_body(response: requests.Response, secrets: Sequence[str] = ()) -> None:
    """Reads a response's body and decodes it if it is a 200's; else takes the reason from it.

    Raises:
        NotJson: it cannot be decoded.
        ErrorInBody: it is an error. None of the `secrets` is repeated.
    """
    # `response.content` reads 10 kB at a time, and waits for the GIL 20 times a page
    body = b"".join(response.iter_content(READ_SIZE))
    if response.status_code != 200:
        response.reason_given = presentable(reason_of(body), secrets)  # type: ignore[attr-defined]
        return
    try:
        payload = decoded(body)
    except ValueError:
        kind = printable(response.headers.get("Content-Type", "no content type").split(";")[0])
        raise NotJson(f"{len(body)} bytes ({kind}) that are not JSON") from None
    if (reason := error_in(payload)) is not None:
        raise ErrorInBody(presentable(reason, secrets))
    if isinstance(payload, dict) and isinstance(payload.get("data"), list):
        payload["data"] = Records.of(payload["data"])
    response.payload = payload  # type: ignore[attr-defined]


def payload_of(response: requests.Response) -> Any:
    """The JSON of a response whose body was read.

    Raises:
        AccessDenied, NotFound, Unavailable, ProtocolError: by its status.
    """
    status, where = response.status_code, f"GET {shown(response.url)}"
    if status == 200:
        return response.payload  # type: ignore[attr-defined]
    reason = getattr(response, "reason_given", "")
    answered = f"answered {status}" + (f" ({reason})" if reason else "")
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


def records_of(response: Response) -> Sequence[Any]:
    """The records of a page of a list. ProtocolError if it is none."""
    data = response.payload.get("data") if isinstance(response.payload, dict) else None
    if not isinstance(data, list | Records):
        raise ProtocolError(f"GET {shown(response.url)} answered 200 without a list in 'data'")
    return data


def record_of(response: Response, record_id: str) -> Any:
    """The one record that was asked for by its id.

    Raises:
        ProtocolError: it is not that record; that would look as if there were nothing to load.
    """
    if not isinstance(response.payload, dict) or response.payload.get("id") != record_id:
        raise ProtocolError(f"GET {shown(response.url)} answered 200 without that record")
    return response.payload


def next_of(response: Response) -> str | None:
    """The link to the next page, as served; None on the last one. ProtocolError if unreadable."""
    links = response.payload.get("links") or {}
    following = links.get("next") if isinstance(links, dict) else links
    if following is None or following == "":
        return None
    if not isinstance(links, dict) or not isinstance(following, str):
        raise ProtocolError(f"GET {shown(response.url)} answered with 'links' that cannot be read")
    return following


def origin(url: str) -> tuple[str | None, str | None, int | None]:
    """Scheme, host and port that a request to this URL would go to."""
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
