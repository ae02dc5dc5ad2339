"""A quick look at whether the space lets us in, one small request for each kind of list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sources.signalwire.errors import SignalWireError
from sources.signalwire.http.client import Client
from sources.signalwire.http.responses import next_of, records_of
from sources.signalwire.settings import DEFAULT_PAGE_SIZE, REGISTRY

# brands without a campaign happen; this many in a row are enough to look at
BRANDS_TO_TRY = 20


class Probed(NamedTuple):
    """One thing that was tried: whether it worked, and what was found or is wrong, in words.

    `examples` are some of what is wrong, `command` shows more, and `key` tells findings of the
    same name apart (empty: the name does).
    """

    what: str
    ok: bool
    words: str
    examples: tuple[str, ...] = ()
    command: str = ""
    key: str = ""


def probe(client: Client, page_size: int = DEFAULT_PAGE_SIZE) -> Iterator[Probed]:
    """Tries the credentials and their scopes by reading the first page of each kind of list.

    Also tells how many records a page holds that was asked for `page_size` of them.
    """
    # the sizes of first pages that others follow
    served: list[int] = []

    def first(path: str) -> list[Any]:
        """The usable records of a list's first page."""
        response = client.get(path, {"page_size": str(page_size)})
        records = records_of(response)
        if next_of(response) is not None:
            served.append(len(records))
        return [r for r in records if isinstance(r, dict) and r.get("id")]

    try:
        brands = first(f"{REGISTRY}/brands")[:BRANDS_TO_TRY]
    except SignalWireError as error:
        yield Probed("credentials", False, str(error))
        return
    yield Probed("credentials", True, "accepted")
    try:
        lists = (first(f"{REGISTRY}/brands/{brand['id']}/campaigns") for brand in brands)
        campaign = next((campaigns[0] for campaigns in lists if campaigns), None)
        if campaign is None:
            yield Probed("scopes", True, "nothing to try them on: no brand has a campaign yet")
            return
        for name in ("orders", "numbers"):
            first(f"{REGISTRY}/campaigns/{campaign['id']}/{name}")
    except SignalWireError as error:
        yield Probed("scopes", False, str(error))
        return
    yield Probed("scopes", True, "brands, campaigns, orders and numbers can be read")
    words = f"{page_size:,} asked for; every list tried fits on one page"
    if most := max(served, default=0):
        words = f"{most:,} served, {page_size:,} asked for"
    yield Probed("page size", True, words)
