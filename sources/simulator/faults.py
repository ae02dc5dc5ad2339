"""Injected faults: which requests they hit, and how often."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

import orjson

Kind = Literal["respond", "headers", "reset", "cut", "hang", "delay"]


@dataclass(frozen=True)
class Fault:
    """A fault for API requests whose path and query match the regular expression `path`.

    - `respond`: this `status`, these `headers` and this `body` (a dict or list as JSON) instead
    - `headers`: the correct response, with these `headers`
    - `reset`: the connection is reset without a response
    - `cut`: the correct headers and half of the body, then the connection is closed
    - `hang`: no response for `seconds` or, if 0, until the server stops; then a reset
    - `delay`: the correct response, `seconds` late

    It skips the first `skip` matching requests and hits `times` of them (None: all).
    `seconds` are real ones, whatever the simulated clock does.
    """

    path: str
    kind: Kind
    times: int | None = None
    skip: int = 0
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | bytes | dict[str, Any] | list[Any] = field(
        default_factory=lambda: {"error": "Internal Server Error"}
    )
    seconds: float = 0

    def __post_init__(self) -> None:
        _check(isinstance(self.path, str), "path must be a string")
        _check(self.kind in get_args(Kind), f"kind must be one of {', '.join(get_args(Kind))}")
        _check(self.times is None or _whole(self.times, 1), "times must be 1 or more, or null")
        _check(_whole(self.skip, 0), "skip must be a whole number, 0 or more")
        _check(_whole(self.status, 200) and self.status < 600, "status must be from 200 to 599")
        _check(isinstance(self.headers, Mapping), "headers must be an object")
        values = self.headers.values()
        _check(all(isinstance(value, str) for value in values), "headers must have string values")
        _check(isinstance(self.body, (str, bytes, dict, list)), "body must be text or JSON")
        _check(_seconds(self.seconds), "seconds must be a number, 0 or more")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"path is not a regular expression: {error}") from None

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Fault:
        """A fault from its fields; ValueError with a message if they are invalid."""
        unknown = sorted(set(data) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(f"a fault has no {', '.join(unknown)}")
        if not {"path", "kind"} <= set(data):
            raise ValueError("a fault needs a path and a kind")
        return cls(**data)

    def content(self) -> tuple[bytes, str]:
        """The body of a `respond` as bytes, and its content type."""
        if isinstance(self.body, (dict, list)):
            return orjson.dumps(self.body), "application/json; charset=utf-8"
        body = self.body.encode() if isinstance(self.body, str) else self.body
        return body, "text/plain; charset=utf-8"


def _check(right: bool, sentence: str) -> None:
    if not right:
        raise ValueError(sentence)


def _seconds(value: object) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and math.isfinite(cast("float", value)) and cast("float", value) >= 0


def _whole(value: object, at_least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= at_least


@dataclass
class _Armed:
    fault: Fault
    to_skip: int
    left: int | None


class Faults:
    """The active faults. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._armed: list[_Armed] = []

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._armed.append(_Armed(fault, fault.skip, fault.times))

    def clear(self) -> None:
        with self._lock:
            self._armed.clear()

    def take(self, path_qs: str) -> Fault | None:
        """The fault for this request, counted down; None lets it pass.

        Of several, the first added applies, unless it still has requests to skip.
        """
        with self._lock:
            for armed in self._armed:
                if armed.left == 0 or not re.search(armed.fault.path, path_qs):
                    continue
                if armed.to_skip > 0:
                    armed.to_skip -= 1
                    continue
                if armed.left is not None:
                    armed.left -= 1
                return armed.fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The active faults and how often each will still apply (null: always)."""
        with self._lock:
            return [
                {
                    "path": armed.fault.path,
                    "kind": armed.fault.kind,
                    "left": armed.left,
                    "still_to_skip": armed.to_skip,
                }
                for armed in self._armed
            ]
