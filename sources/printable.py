"""Text that any terminal and any log can take. It imports nothing, so it costs no start-up."""

from __future__ import annotations

import re

# what moves the cursor, hides text or turns its direction; lone surrogates no encoding takes
ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def printable(text: str, *, lines: bool = False) -> str:
    """The text with control characters as escapes; `lines` keeps line breaks."""
    return ACTING.sub(lambda found: _escaped(found[0], lines), text)


def _escaped(character: str, lines: bool) -> str:
    if lines and character == "\n":
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")
