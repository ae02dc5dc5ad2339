"""A quick look at whether the space lets us in, one small request for each kind of list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sources.signalwire.client import Client
from sources.signalwire.errors import SignalWireError
from sources.signalwire.settings import REGISTRY

# brands without a campaign happen; this many in a row are enough to look at
BRANDS_TO_TRY = 20


class Probed(NamedTuple):
    """One thing that was tried: whether it worked, and what was found or is wrong, in words."""

    what: str
    ok: bool
    words: str


def probe(client: Client) -> Iterator[Probed]:
    """Tries the credentials and their scopes by reading one record of each kind of list."""
    try:
        brands = _first(client, f"{REGISTRY}/brands", BRANDS_TO_TRY)
    except SignalWireError as error:
        yield Probed("credentials", False, str(error))
        return
    yield Probed("credentials", True, "accepted")
    try:
        campaign = _some_campaign(client, brands)
        if campaign is None:
            yield Probed("scopes", True, "nothing to try them on: no brand has a campaign yet")
            return
        for name in ("orders", "numbers"):
            _first(client, f"{REGISTRY}/campaigns/{campaign['id']}/{name}", 1)
    except SignalWireError as error:
        yield Probed("scopes", False, str(error))
        return
    yield Probed("scopes", True, "brands, campaigns, orders and numbers can be read")


def _some_campaign(client: Client, brands: list[Any]) -> Any | None:
    for brand in brands:
        if campaigns := _first(client, f"{REGISTRY}/brands/{brand['id']}/campaigns", 1):
            return campaigns[0]
    return None


def _first(client: Client, path: str, count: int) -> list[Any]:
    """The first usable records of a list, at most `count`."""
    page = next(client.pages(path, {"page_size": str(count)}))
    return [r for r in page.plain if isinstance(r, dict) and r.get("id")][:count]
