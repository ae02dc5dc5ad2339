"""The page that results are written to, docs/performance.md."""

from __future__ import annotations

import re
import sys
from pathlib import Path

PAGE = Path(__file__).parent.parent / "docs" / "performance.md"


def write_block(name: str, text: str) -> None:
    """Puts text between the comments `<!-- NAME -->` and `<!-- end -->` of the page, and prints it.

    Raises:
        LookupError: the page has no such place.
    """
    sys.stdout.write(f"\n{text}\n")
    sys.stdout.flush()
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, count = place.subn(lambda found: f"{found[1]}{text}\n{found[2]}", PAGE.read_text())
    if not count:
        raise LookupError(f"{PAGE.name} has no place for {name}")
    PAGE.write_text(page)
