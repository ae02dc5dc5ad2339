"""Which brand a campaign belongs to, also where the lists of several brands have it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

LISTED_TWICE = "listed under more than one brand"


class Owners:
    """The brand of each campaign: of all whose lists have it, the one with the smallest id.

    That does not depend on which list is read first. A campaign is read as soon as it is found
    under the brand it had before, or if it is new; else once all lists are read. Otherwise it would
    be loaded twice at every run.
    """

    def __init__(self, before: Mapping[str, str], *, some_brands_only: bool = False) -> None:
        """`before` are the brands under which campaigns were read so far.

        With `some_brands_only` not all lists are read, and a campaign's brand of before counts too.
        """
        self._before = before
        self._some_brands_only = some_brands_only
        self._smallest: dict[str, str] = {}
        self._others: dict[str, set[str]] = {}
        self._read_as: dict[str, str] = {}

    def listed(self, brand_id: str, campaign_ids: Sequence[str]) -> list[str]:
        """Notes a page of a brand's list, and returns the campaigns to be read at once."""
        to_read = []
        for campaign_id in campaign_ids:
            before = self._before.get(campaign_id, brand_id)
            first = min(before, brand_id) if self._some_brands_only else brand_id
            owner = self._smallest.get(campaign_id)
            if owner is None:
                self._smallest[campaign_id] = first
            elif owner != brand_id:
                self._others.setdefault(campaign_id, {owner}).add(brand_id)
                self._smallest[campaign_id] = min(owner, brand_id)
            if before == brand_id and campaign_id not in self._read_as:
                self._read_as[campaign_id] = brand_id
                to_read.append(campaign_id)
        return to_read

    def still_to_read(self) -> Iterator[tuple[str, str]]:
        """Campaigns not read under their brand yet, and that brand; to be asked once."""
        for campaign_id, owner in self._smallest.items():
            if self._read_as.get(campaign_id) != owner:
                self._read_as[campaign_id] = owner
                yield campaign_id, owner

    def as_before(self) -> bool:
        """Whether all campaigns found so far were found under the brand that they had before."""
        return self._smallest.keys() <= self._read_as.keys()

    def owner(self, campaign_id: str) -> str | None:
        """The brand of a campaign; None if no list has it."""
        return self._smallest.get(campaign_id)

    def contested(self) -> Iterator[tuple[str, str, str]]:
        """Each campaign that several brands list, its brand, and each of the others."""
        for campaign_id, brands in sorted(self._others.items()):
            owner = self._smallest[campaign_id]
            for other in sorted(brands - {owner}):
                yield campaign_id, owner, other
