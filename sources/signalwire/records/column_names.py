"""Names of columns for fields that the API sends and this source does not know."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from dlt.common.normalizers.naming.snake_case import NamingConvention

# names dlt or a later version of this source gives to columns of its own
RESERVED_PREFIXES = ("_dlt",)
# columns that some database has in every table, or in every file; the same list everywhere, so that
# a name does not depend on the destination
RESERVED = frozenset(
    [
        "rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "rownum",
        "filename", "file_index", "file_row_number",
    ]
)  # fmt: skip
# the longest name that PostgreSQL takes; dlt would shorten it, differently from the rows read
MAX_NAME = 63
_DIGESTED = re.compile(r"_x[0-9a-f]{8}$")
_naming = NamingConvention()


def column_names(fields: Iterable[str], taken: frozenset[str]) -> dict[str, str]:
    """Column names, in the destination's snake case, for fields that have no column yet.

    `taken` are the table's own; no name depends on which other fields there are.
    """
    return {field: _column_name(field, taken) for field in sorted(fields)}


@lru_cache(maxsize=1_000)
def _column_name(field: str, taken: frozenset[str]) -> str:
    """The field's own name if it is in snake case and free, with `api_` before it if it is not.

    All other spellings get a digest, because several of them make the same name.
    """
    name = str(_naming.normalize_path(field)) if field.strip() else "unnamed"
    exact = field == name and not _DIGESTED.search(name)
    if _is_reserved(name, taken):
        name = f"api_{name.lstrip('_')}"
    elif name.startswith("api_"):
        rest = name.removeprefix("api_")
        exact = exact and not (_is_reserved(rest, taken) or _is_reserved(f"_{rest}", taken))
    if exact and len(name) <= MAX_NAME:
        return name
    tag = f"_x{hashlib.blake2b(field.encode(), digest_size=4).hexdigest()}"
    return name[: MAX_NAME - len(tag)].rstrip("_") + tag


def _is_reserved(name: str, taken: frozenset[str]) -> bool:
    return name in taken or name in RESERVED or name.startswith(RESERVED_PREFIXES)
