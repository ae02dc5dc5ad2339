"""Brands and campaigns: their rows, and which brand a campaign belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from sources.signalwire.crawl.lists import path_of
from sources.signalwire.crawl.output import Output
from sources.signalwire.incremental.diff import changed, entered_state, marked_as_deleted
from sources.signalwire.incremental.existing import KnownData, KnownRecord
from sources.signalwire.records.batch import Origin, PageRecords
from sources.signalwire.records.rejects import Reject
from sources.signalwire.records.schema import BRANDS, CAMPAIGNS, Table
from sources.signalwire.settings import RECORDS_AT_ONCE

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


@dataclass(eq=False)
class Registry:
    """Takes the records of brands and campaigns, and loads those that changed.

    Their lists are short enough to compare at every run. Campaigns are loaded at the end, when all
    lists are read and it is known which brand each belongs to. `now` is the server's clock, ahead
    of all readings in the destination.
    """

    output: Output
    existing: KnownData
    resources: frozenset[str]
    owners: Owners
    now: Callable[[], int]

    def __post_init__(self) -> None:
        self._gone: dict[str, list[str]] = {}
        # pages that wait until there are enough records to convert them together
        self._pages: dict[str, list[PageRecords]] = {BRANDS.name: [], CAMPAIGNS.name: []}
        self._waiting: Counter[str] = Counter()
        self._campaign_rows: list[pa.Table] = []

    def add(self, table: Table, page: PageRecords) -> None:
        """Takes brands, or campaigns of one brand's list."""
        if table.name in self.resources and page.records:
            self._pages[table.name].append(page)
            self._waiting[table.name] += len(page.records)
            if self._waiting[table.name] >= RECORDS_AT_ONCE:
                self._convert(table)

    def finish(self) -> None:
        """Loads what is left, each campaign under the brand that it belongs to."""
        for table in (BRANDS, CAMPAIGNS):
            self._convert(table)
        while self._campaign_rows:
            rows = self._campaign_rows.pop(0)
            pairs = zip(rows["id"].to_pylist(), rows["brand_id"].to_pylist(), strict=True)
            owned = [self.owners.owner(campaign) == brand for campaign, brand in pairs]
            self._load(CAMPAIGNS, rows.filter(pa.array(owned, pa.bool_())))
        self.output.rejects(
            [
                Reject(
                    CAMPAIGNS.name,
                    Origin(f"{path_of('brands', other)}/campaigns", other, campaign),
                    campaign,
                    {"id": campaign},
                    f"{LISTED_TWICE}; it counts as one of brand {owner}",
                )
                for campaign, owner, other in self.owners.contested()
            ]
        )

    def unlisted(self, table: Table, listed: Collection[str]) -> dict[str, str]:
        """What the destination has beyond the ids listed, not marked as deleted, and its brand."""
        if table.name not in self.resources:
            return {}
        return {
            record_id: record.brand_id or ""
            for record_id, record in self._known[table.name].items()
            if record_id not in listed and not record.is_deleted
        }

    def gone(self, table: Table, record_id: str) -> None:
        """Notes that a brand or campaign is gone from the API."""
        if table.name in self.resources:
            self._gone.setdefault(table.name, []).append(record_id)

    def mark_gone(self) -> None:
        """Marks as deleted what is gone."""
        for table in (BRANDS, CAMPAIGNS):
            known = self.existing.by_id(table, self._gone.pop(table.name, []))
            rows = marked_as_deleted(known, self.now())
            self.output.rows(table, rows)
            self.output.changes(table, rows)

    def _load(self, table: Table, rows: pa.Table) -> None:
        self.output.rows(table, rows)
        self.output.changes(table, entered_state(rows, self._known[table.name]))

    def _convert(self, table: Table) -> None:
        pages, self._pages[table.name] = self._pages[table.name], []
        self._waiting[table.name] = 0
        if not pages:
            return
        # their pages may have been read before it was known what the clock has to be ahead of
        now = self.now()
        found = self.output.converted(table, [page._replace(read_at=now) for page in pages])
        rows = changed(found.rows, self._known[table.name])
        if table is BRANDS:
            self._load(table, rows)
        else:
            self._campaign_rows.append(rows)

    @cached_property
    def _known(self) -> Mapping[str, Mapping[str, KnownRecord]]:
        return self.existing.records(BRANDS, CAMPAIGNS)
