"""The server's own words about an error, as messages repeat them: short, printable, no secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from sources.printable import printable
from sources.signalwire.settings import MAX_REASON

_SAYING = ("title", "detail", "message", "error", "error_description", "code")
_CREDENTIALS = re.compile(r"\b(basic|bearer)\s+\S+", re.IGNORECASE)
# shorter ones would take ordinary words out of a sentence
_SHORTEST_SECRET = 6


def error_in(payload: Any) -> str | None:
    """The reason in a payload that is an error, whatever else is in it; None if it is none.

    A record of the API has an `id` and no `data`, and may have fields of these names.
    """
    if not isinstance(payload, Mapping) or ("id" in payload and "data" not in payload):
        return None
    failed = payload.get("success") is False or payload.get("status") in ("error", "fail", "failed")
    if not (failed or payload.get("errors") or payload.get("error")):
        return None
    return _reason_in(payload) or "without a reason"


def reason_of(body: bytes) -> str:
    """The reason in the body of an error, JSON or plain text; empty without one."""
    try:
        return _reason_in(msgspec.json.decode(body))
    except ValueError:
        text = body[: 10 * MAX_REASON].decode(errors="replace").strip()
        # a page made for browsers says nothing that fits into a sentence
        return "" if text.startswith("<") else text


def presentable(text: str, secrets: Sequence[str] = ()) -> str:
    """A text of the server's as messages may show it; control characters are escaped."""
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    text = printable(" ".join(_CREDENTIALS.sub(r"\1 ***", text).split()))
    return text if len(text) <= MAX_REASON else f"{text[: MAX_REASON - 1]}…"


def _reason_in(payload: Any) -> str:
    said = payload
    if isinstance(payload, Mapping):
        wordy = payload.get("error") is True
        said = payload.get("errors") or (not wordy and payload.get("error")) or _own_words(payload)
    return "; ".join(dict.fromkeys(_words(said)))


def _words(said: Any) -> Iterator[str]:
    """Each error as one text, from any of the shapes that servers give them."""
    if isinstance(said, list):
        for error in said:
            yield from _words(error)
    elif isinstance(said, Mapping):
        if own := _own_words(said):
            yield own
            return
        for name, value in said.items():
            yield from (f"{name}: {words}" for words in _words(value))
    elif said is not None and not isinstance(said, bool):
        yield str(said)


def _own_words(error: Mapping[str, Any]) -> str:
    said = (error.get(name) for name in _SAYING)
    texts = [str(part) for part in said if isinstance(part, str | int) and part not in ("", True)]
    return ": ".join(dict.fromkeys(texts))
