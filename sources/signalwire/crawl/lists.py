"""The lists of a space and their paths: brands, the campaigns of a brand, records by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from sources.signalwire.errors import NotFound, ProtocolError, ReadError
from sources.signalwire.http.pagination import Get, Listing
from sources.signalwire.http.responses import record_of
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.settings import REGISTRY
from sources.signalwire.stats import RunStats


@dataclass(eq=False)
class Lists:
    """Reads lists and single records; every method raises ReadError where that fails."""

    get: Get
    stats: RunStats
    page_size: int

    def pages(self, origin: Origin, state: str | None = None) -> Listing:
        """A list, page by page; with `state` only what is in it."""
        params = {"page_size": str(self.page_size)}
        if state is not None:
            params["filter_state"] = state
        return Listing(self.get, origin, self.stats, params)

    async def record(self, origin: Origin, record_id: str) -> PageRecords:
        """One record by its id, as a page."""
        response = await self.get(origin.path, None)
        return PageRecords(origin, [record_of(response, record_id)], response.read_at)

    async def brand(self, brand_id: str) -> PageRecords:
        """One brand by its id, as a page.

        Ids are case sensitive there, and people copy them from where they are in upper case.
        """
        failure: ReadError | None = None
        for spelling in dict.fromkeys((brand_id, brand_id.lower())):
            try:
                return await self.record(Origin(path_of("brands", spelling), spelling), spelling)
            except ReadError as error:
                failure = failure or error
                if not isinstance(error, NotFound | ProtocolError):
                    break
        assert failure is not None
        raise failure

    async def exists(self, path: str, record_id: str) -> bool:
        """Whether the API still knows a record that no list has."""
        try:
            await self.record(Origin(path), record_id)
        except NotFound:
            return False
        return True


def path_of(kind: str, record_id: str) -> str:
    """The path of one record, such as a brand."""
    return f"{REGISTRY}/{kind}/{quote(record_id, safe='')}"
