"""The way through a space: brands, their campaigns, each campaign's orders, side by side.

Each list is a walk of its own (`reader.py`); all of them are led from here, in one thread. What
they find decides what is read next, is compared with the destination, and moves the cursors.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from sources.signalwire.crawl.events import (
    BrandsFound,
    CampaignGone,
    CampaignsFound,
    CampaignWalked,
    Failure,
    Finding,
    Listed,
    OrdersGone,
    Rows,
    RowsToCompare,
    Walk,
)
from sources.signalwire.crawl.lists import Reader
from sources.signalwire.crawl.owners import LISTED_TWICE, Owners
from sources.signalwire.crawl.run_record import rows_of_failures
from sources.signalwire.crawl.scheduler import Workers
from sources.signalwire.http.client import Client
from sources.signalwire.http.pagination import Get
from sources.signalwire.http.responses import Answer
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.deduplicate import newest_of_each
from sources.signalwire.incremental.depth import KnownCampaign, KnownSpace
from sources.signalwire.incremental.diff import changed, compare, marked_as_deleted
from sources.signalwire.incremental.existing import KnownData, NothingKnown
from sources.signalwire.options import Selection
from sources.signalwire.records.batches import Batches, copied, joined
from sources.signalwire.records.buffers import Gathering, rejected
from sources.signalwire.records.columnar import decode_pages
from sources.signalwire.records.convert import Origin, Reject
from sources.signalwire.records.order_changes import changes_of
from sources.signalwire.records.schema import (
    BRANDS,
    CAMPAIGNS,
    NUMBER_ASSIGNMENTS,
    ORDER_CHANGES,
    ORDERS,
)
from sources.signalwire.settings import BATCH_ROWS, REGISTRY
from sources.signalwire.stats import RunStats

logger = logging.getLogger(__name__)


class Traversal:
    """One run's way through the space.

    After `rows` is exhausted, `cursors` holds the cursor of every campaign that was read as far as
    it had to be (and the earlier ones of all others), and `failures` what could not be read.
    """

    def __init__(
        self,
        client: Client,
        selection: Selection,
        cursors: Mapping[str, Cursor],
        stats: RunStats,
        known: KnownData,
    ) -> None:
        self.cursors = dict(cursors)
        self.failures: list[Failure] = []
        self._cursors_before = dict(cursors)
        self._client = client
        self._selection = selection
        self._stats = stats
        self._known = known
        self._known_space: KnownSpace | None = None
        self._all_placed = False
        self._fingerprints: Mapping[str, Mapping[str, bytes]] | None = None
        self._reader = Reader(client.clock, selection, self._cursors_before, stats, self._placed)
        self._seen: set[str] = set()
        self._owners = Owners(
            {campaign_id: cursor.brand_id for campaign_id, cursor in cursors.items()},
            some_brands_only=bool(selection.brand_ids),
        )
        self._campaign_rows: list[pa.Table] = []
        self._not_found_yet = {i.lower(): i for i in selection.campaign_ids}
        self._walks_wanted = bool({ORDERS.name, NUMBER_ASSIGNMENTS.name} & selection.resources)
        self._workers: Workers[Finding] = Workers(selection.workers, client.fetch, self._decode)
        self._gathering = Gathering(selection, stats)
        self._batches = Batches()
        self._to_compare: dict[Origin, list[pa.Table]] = {}
        self._walked: set[Origin] = set()

    def rows(self) -> Generator[Rows, None, None]:
        """Reads everything selected and yields the rows that are new or changed, in large batches.

        A campaign or brand that cannot be read becomes a failure and does not stop the others.

        Raises:
            AccessDenied: the credentials or their scopes are refused.
            ReadError: the list of brands, where everything begins, cannot be read.
        """
        try:
            self._begin()
            yield from self._work()
            if self._selection.shard:
                self._list_again_where_campaigns_are_missing()
                yield from self._work()
            yield from self._settle_owners()
            self._look_for_unlisted_campaigns()
            yield from self._work()
            for campaign_id in sorted(self._not_found_yet.values()):
                yield from self._follow(self._reader.no_such_campaign(campaign_id))
            for rows in self._gathering.rest():
                yield from self._load(rows)
            yield from self._with_changes(self._batches.rest())
            if self.failures:
                yield rows_of_failures(self.failures, self._stats.run_id)
        finally:
            self.stop()

    def stop(self) -> None:
        """Sends no further request. `rows`, in whichever thread, ends with `Stopped`."""
        self._workers.close()
        self._client.close()

    def _decode(self, fetched: Sequence[tuple[Get, Answer]]) -> Sequence[Answer | None]:
        answers = decode_pages(fetched)
        # pages that are no JSON are read again
        self._stats.add(retries=answers.count(None))
        return answers

    def _begin(self) -> None:
        if not self._selection.brand_ids:
            self._workers.submit(self._reader.brands)
        for brand_id in self._selection.brand_ids:
            self._workers.submit(partial(self._reader.brand, brand_id))

    def _work(self) -> Iterator[Rows]:
        """Follows all findings, and what comparing them with the destination leads to."""
        while True:
            for finding in self._workers:
                yield from self._follow(finding)
            if not self._to_compare:
                return
            # of a campaign that failed in the middle, what could be read is compared
            yield from self._compare(list(self._to_compare))

    def _follow(self, finding: Finding) -> Iterator[Rows]:
        """Takes note of a finding, sends the workers where it leads, and passes on its rows."""
        match finding:
            case Rows():
                yield from self._load(finding)
            case Listed(table, records, origin):
                for rows in self._gathering.add(table, records, origin):
                    yield from self._load(rows)
            case BrandsFound(brand_ids):
                new = self._unseen(brand_ids)
                self._stats.add(brands=len(new))
                for brand_id in new:
                    self._workers.submit(partial(self._campaigns_of, brand_id))
            case CampaignsFound(brand_id, campaign_ids):
                for campaign_id in campaign_ids if self._not_found_yet else ():
                    self._not_found_yet.pop(campaign_id.lower(), None)
                self._stats.add(campaigns=len(self._unseen(campaign_ids)))
                for campaign_id in self._owners.listed(brand_id, campaign_ids):
                    self._read_campaign(brand_id, campaign_id)
            case RowsToCompare(origin, rows):
                # copied, since they wait for the rest of their campaign, and others' rows need not
                self._to_compare.setdefault(origin, []).append(copied(rows))
            case CampaignWalked():
                yield from self._note_walk(finding)
            case OrdersGone(order_ids):
                yield from self._load(self._deleted(order_ids))
            case CampaignGone(origin):
                self._look_up_orders_of(origin)
            case Failure():
                self._note_failure(finding)

    def _read_campaign(self, brand_id: str, campaign_id: str) -> None:
        if self._walks_wanted:
            known = self._known_of(campaign_id)
            self._workers.submit(partial(self._reader.campaign, brand_id, campaign_id, known))

    def _settle_owners(self) -> Iterator[Rows]:
        """Once all lists are read: campaigns go to their brands, and are read there if they aren't.

        A campaign can be in the lists of several brands, or in that of another one than before.
        """
        for campaign_id, brand_id in self._owners.still_to_read():
            self._read_campaign(brand_id, campaign_id)
        for found in self._gathering.take(CAMPAIGNS):
            yield from self._load(found)
        while self._campaign_rows:
            yield from self._load_campaigns(self._campaign_rows.pop(0))
        rejects = [
            Reject(
                CAMPAIGNS.name,
                Origin(f"{REGISTRY}/brands/{quote(other, safe='')}/campaigns", other, campaign_id),
                campaign_id,
                {"id": campaign_id},
                f"{LISTED_TWICE}; it counts as one of brand {owner}",
            )
            for campaign_id, owner, other in self._owners.contested()
        ]
        yield from rejected(CAMPAIGNS, rejects, self._stats)
        yield from self._work()

    def _load_campaigns(self, rows: pa.Table) -> Iterator[Rows]:
        """Loads campaigns of the brands that they belong to, all lists having been read."""
        pairs = zip(rows["id"].to_pylist(), rows["brand_id"].to_pylist(), strict=True)
        owned = [self._owners.owner(campaign_id) == brand_id for campaign_id, brand_id in pairs]
        kept = rows.filter(pa.array(owned, pa.bool_()))
        if len(kept):
            yield from self._with_changes(self._batches.add(Rows(CAMPAIGNS.name, kept)))

    def _campaigns_of(self, brand_id: str) -> Walk[None]:
        if self._selection.campaign_ids and not self._not_found_yet and self._owners.as_before():
            return  # those asked for are found; no need to look further
        yield from self._reader.campaigns(brand_id)

    def _unseen(self, ids: list[str]) -> list[str]:
        """Those met for the first time: one that slid to a later page is not read twice."""
        new = [i for i in dict.fromkeys(ids) if i not in self._seen]
        self._seen.update(new)
        return new

    def _load(self, found: Rows) -> Iterator[Rows]:
        if found.table == ORDERS.name:
            self._stats.add(orders_loaded=len(found.rows))
        elif found.table in (BRANDS.name, CAMPAIGNS.name):
            # lists short enough to compare at every run, so that only what changed is written
            if self._fingerprints is None:
                self._fingerprints = self._known.fingerprints(BRANDS, CAMPAIGNS)
            found = Rows(found.table, changed(found.rows, self._fingerprints[found.table]))
            if found.table == CAMPAIGNS.name:
                # which brand they belong to is known once all lists are read
                self._campaign_rows.append(found.rows)
                return
        if len(found.rows):
            yield from self._with_changes(self._batches.add(found))

    def _with_changes(self, batches: Iterator[Rows]) -> Iterator[Rows]:
        """The same batches, each one of orders followed by what it adds to their history."""
        for batch in batches:
            yield batch
            if batch.table == ORDERS.name:
                yield Rows(ORDER_CHANGES.name, changes_of(batch.rows, self._stats.run_id))

    def _known_of(self, campaign_id: str) -> KnownCampaign | None:
        """What the destination has of a campaign; None if nobody can tell."""
        if isinstance(self._known, NothingKnown) or ORDERS.name not in self._selection.resources:
            return None
        return self._known_campaigns().get(campaign_id, KnownCampaign())

    def _known_campaigns(self) -> Mapping[str, KnownCampaign]:
        if self._known_space is None:
            self._known_space = self._ask_for_space(self._selection.page_size)
        return self._known_space.campaigns

    def _ask_for_space(self, page_size: int) -> KnownSpace:
        # only now, because it takes the server's clock, which the first answer tells
        clock = self._client.clock
        untouched_since = clock.now() - int(self._selection.settle_after * 1_000_000)
        space = self._known.space(untouched_since, page_size)
        horizon = clock.horizon()
        if horizon is not None and space.newest_moment > horizon:
            self._known.mend_times(horizon, clock.now())
            # told by the same clock, they can have passed over what changed meanwhile
            self.cursors.clear()
            self._cursors_before.clear()
            space = self._known.space(untouched_since, page_size)
        clock.stay_ahead_of(space.newest_reading)
        return space

    def _placed(self, campaign_id: str) -> KnownCampaign:
        """What is known of a campaign, with positions also where all fits on a page as asked for.

        The server cuts pages shorter than that. All campaigns are asked for at once, in one go.
        """
        if not self._all_placed:
            self._known_space, self._all_placed = self._ask_for_space(0), True
        return self._known_campaigns().get(campaign_id, KnownCampaign())

    def _note_walk(self, walked: CampaignWalked) -> Iterator[Rows]:
        origin = walked.origin
        if walked.cursor is not None:
            self.cursors[str(origin.campaign_id)] = walked.cursor
        if walked.compared:
            # also if it has turned out empty, when all that is known may be gone
            self._to_compare.setdefault(origin, [])
            self._walked.add(origin)
        if sum(len(rows) for parts in self._to_compare.values() for rows in parts) >= BATCH_ROWS:
            yield from self._compare([o for o in self._to_compare if o in self._walked])

    def _note_failure(self, failure: Failure) -> None:
        logger.warning("%s", failure.reason)
        self.failures.append(failure)
        self._stats.failures.append(failure.reason)
        # whatever else of the campaign could be read, its cursor stays where it was
        campaign_id = str(failure.origin.campaign_id)
        if before := self._cursors_before.get(campaign_id):
            self.cursors[campaign_id] = before
        else:
            self.cursors.pop(campaign_id, None)

    def _compare(self, ready: list[Origin]) -> Iterator[Rows]:
        """Loads what differs from the destination, and has looked up what only that has."""
        parts = {origin: self._to_compare.pop(origin) for origin in ready}
        known = self._known.orders([str(origin.campaign_id) for origin in ready])
        for origin in ready:
            here = known.filter(pc.equal(known["campaign_id"], origin.campaign_id))
            read = joined(parts[origin]) if parts[origin] else ORDERS.arrow_schema().empty_table()
            difference = compare(newest_of_each(read), here)
            if len(difference.rows):
                yield from self._load(Rows(ORDERS.name, difference.rows))
            if difference.missing and origin in self._walked:
                self._workers.submit(partial(self._reader.orders_by_id, origin, difference.missing))

    def _deleted(self, order_ids: list[str]) -> Rows:
        """The rows of orders that are gone, marked as deleted."""
        rows = marked_as_deleted(self._known.by_id(order_ids), self._client.clock.now())
        self._stats.add(orders_deleted=len(rows))
        return Rows(ORDERS.name, rows)

    def _look_for_unlisted_campaigns(self) -> None:
        """Has campaigns looked up that the destination knows and no list has, once in a while."""
        for campaign_id, brand_id, known in self._unlisted_campaigns():
            self._workers.submit(
                partial(self._reader.unlisted_campaign, brand_id, campaign_id, known)
            )

    def _list_again_where_campaigns_are_missing(self) -> None:
        """Has brands listed again whose lists lack a campaign: it may have slid past a page.

        In a shard a campaign that is in no list may also have moved to a brand of another shard, so
        it must not be read as this brand's.
        """
        brands = {brand_id for _, brand_id, _ in self._unlisted_campaigns()} & self._seen
        for brand_id in sorted(brands):
            self._workers.submit(partial(self._reader.campaigns, brand_id))

    def _unlisted_campaigns(self) -> Iterator[tuple[str, str, KnownCampaign]]:
        """Campaigns to look up, each with its brand as far as it is known."""
        if self._selection.narrowing or any(f.origin.campaign_id is None for f in self.failures):
            return
        if self._known_of("") is None:
            return
        for campaign_id, known in self._known_campaigns().items():
            cursor = self.cursors.get(campaign_id)
            if campaign_id not in self._seen and self._reader.reads_to_the_end(cursor):
                yield campaign_id, cursor.brand_id if cursor else "", known

    def _look_up_orders_of(self, origin: Origin) -> None:
        known = self._known.orders([str(origin.campaign_id)])
        here = known.filter(pc.is_null(known["deleted_at"]))["id"].to_pylist()
        self._workers.submit(partial(self._reader.orders_by_id, origin, here))
        if cursor := self.cursors.get(str(origin.campaign_id)):
            self.cursors[str(origin.campaign_id)] = cursor._replace(
                full_walk_at=self._client.clock.now()
            )
