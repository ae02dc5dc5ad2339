"""One of several disjoint parts of a space, so that several machines can read it side by side.

A brand belongs to the same part for ever, whichever brands come and go: its id alone decides.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from sources.signalwire.errors import ConfigurationError

MAX_SHARDS = 1024
# so many hexadecimal digits of the id's MD5, which every database can compute too
DIGITS = 8


class Shard(NamedTuple):
    """One part `of` so many, counted from 1."""

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    def holds(self, brand_id: str) -> bool:
        """Whether a brand belongs to this part."""
        digest = hashlib.md5(brand_id.encode(), usedforsecurity=False).hexdigest()
        return int(digest[:DIGITS], 16) % self.of == self.part - 1


def parse_shard(text: str | None) -> Shard | None:
    """The part that `text` means, such as `2/8`; None for everything, which 1/1 is too.

    Raises:
        ConfigurationError: it is not I/N, with I from 1 to N and N up to 1024.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
    part, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part <= of <= MAX_SHARDS:
        raise ConfigurationError(
            f"shard is {text!r}; it has to be I/N, the I-th of N parts, such as 2/8"
            f" (N up to {MAX_SHARDS})"
        )
    return Shard(part, of) if of > 1 else None
