"""What is read of one campaign: its orders and, if asked for, its number assignments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa

from sources.signalwire.crawl.comparison import Comparison
from sources.signalwire.crawl.lists import path_of
from sources.signalwire.crawl.numbers import Numbers
from sources.signalwire.crawl.orders import OrderWalk, Tools
from sources.signalwire.crawl.registry import Registry
from sources.signalwire.errors import ReadError
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.depth import is_full_walk_due, is_idle
from sources.signalwire.incremental.state import Cursors
from sources.signalwire.options import Options
from sources.signalwire.records.batch import Origin
from sources.signalwire.records.schema import CAMPAIGNS, NUMBER_ASSIGNMENTS, ORDERS
from sources.signalwire.records.values import Unreadable, as_timestamp, is_ahead
from sources.signalwire.settings import IDLE_AFTER


@dataclass(eq=False)
class CampaignReader:
    """Reads one campaign at a time, as far as it is due, and moves its cursor.

    `failed` records a list that could not be read.
    """

    tools: Tools
    comparison: Comparison
    numbers: Numbers
    registry: Registry
    cursors: Cursors
    options: Options
    failed: Callable[[Origin, str], None]
    _changed_at: dict[str, int] = field(default_factory=dict, init=False)

    def listed(self, records: Sequence[Any]) -> None:
        """Takes campaigns' own records, which say when they changed."""
        if not self.options.recheck_idle_every:
            return
        for record in records:
            with suppress(Unreadable, KeyError, TypeError):  # those are read in any case
                moment = as_timestamp(record["updated_at"])
                self._changed_at[record["id"]] = moment.cast(pa.int64()).as_py()

    async def read(self, brand_id: str, campaign_id: str) -> None:
        """One campaign's orders and number assignments, as far as they are asked for."""
        if self._rests(brand_id, campaign_id):
            self.tools.stats.add(campaigns_idle=1)
            return
        base, wanted = path_of("campaigns", campaign_id), self.options.resources
        numbers_due = not self.options.numbers_under_way_only
        origin = Origin(f"{base}/orders", brand_id, campaign_id)
        try:
            if ORDERS.name in wanted:
                numbers_due |= await self._orders(origin)
            if NUMBER_ASSIGNMENTS.name in wanted:
                origin = origin._replace(path=f"{base}/numbers")
                if numbers_due or self.tools.known.awaits_numbers(campaign_id):
                    await self.numbers.read(origin)
        except ReadError as error:
            self.failed(origin, str(error))
            return
        if not wanted.isdisjoint((ORDERS.name, NUMBER_ASSIGNMENTS.name)):
            self.tools.stats.add(campaigns_walked=1)

    async def _orders(self, origin: Origin) -> bool:
        """Reads a campaign's orders; whether its number assignments may have changed too."""
        campaign_id = str(origin.campaign_id)
        known = self.tools.known.campaign(campaign_id)
        walk = OrderWalk(self.tools, origin, self._cursor(campaign_id), known)
        if self.options.order_state is not None:
            await walk.in_state(self.options.order_state)
            return walk.found_changes
        due = self.is_due(walk.move.cursor)
        is_whole = due or known is None or not known.orders
        if not is_whole:
            await walk.recent()
        elif known is None:
            await walk.whole()
        elif not known.orders:
            # loaded whatever the cursor says: all that was known may be gone, and come back
            await walk.whole(partial(self.tools.output.rows, ORDERS))
        else:
            self.tools.stats.add(full_walks=int(walk.move.cursor is not None))
            await walk.whole(partial(self.comparison.add, origin))
            self.comparison.walked(origin)
        if cursor := walk.move.end(full=due and known is not None):
            self.cursors.advance(campaign_id, cursor)
        return is_whole or walk.found_changes

    async def unlisted(self, brand_id: str, campaign_id: str) -> None:
        """A campaign that the destination knows and no list has: gone, or just passed over."""
        origin = Origin(path_of("campaigns", campaign_id), brand_id, campaign_id)
        try:
            exists = await self.tools.lists.exists(origin.path, campaign_id)
        except ReadError as error:
            self.failed(origin, str(error))
            return
        if not exists:
            self.registry.gone(CAMPAIGNS, campaign_id)
            # also in a run that reads none: the campaign is not looked for again
            self.numbers.campaign_gone(campaign_id)
            if ORDERS.name not in self.options.resources:
                return
            self.cursors.look_up(campaign_id)
            if cursor := self.cursors.after().get(campaign_id):
                moved = cursor._replace(full_walk_at=self.tools.clock.now())
                self.cursors.advance(campaign_id, moved)
            # last, because the cursor stays where it was if one of them cannot be read
            await self.orders_by_id(origin, self.tools.known.orders_of(campaign_id))
        elif self.options.shard is None:
            # in a shard it has most likely moved to a brand of another one, which reads it
            await self.read(brand_id, campaign_id)

    async def orders_by_id(self, origin: Origin, order_ids: list[str]) -> None:
        """Orders that the destination has and a whole list lacks, one by one.

        Until then the campaign's cursor must not be stored: see `Cursors.look_up`.
        """
        walk = OrderWalk(self.tools, origin, self._cursor(str(origin.campaign_id)), None)
        try:
            for order_id in order_ids:
                await walk.one(order_id)
        except ReadError as error:
            self.failed(origin, str(error))
        finally:
            self.cursors.looked_up(str(origin.campaign_id))

    def _cursor(self, campaign_id: str) -> Cursor | None:
        """The cursor to start from; one that a wrong clock has set would hide what is new."""
        cursor = self.cursors.before(campaign_id)
        if cursor is None:
            return None
        newest = max(cursor.watermark, cursor.created_watermark)
        return None if is_ahead(newest, self.tools.clock.now()) else cursor

    def _rests(self, brand_id: str, campaign_id: str) -> bool:
        """Whether nothing has been under way, and the last reading to the end is not long ago."""
        options = self.options
        every = int(options.recheck_idle_every * 1_000_000)
        if not every or options.full or options.order_state or ORDERS.name not in options.resources:
            return False
        cursor, now = self._cursor(campaign_id), self.tools.clock.now()
        if cursor is None or cursor.brand_id != brand_id:
            return False
        if is_full_walk_due(cursor.full_walk_at, now, every):
            return False
        known = self.tools.known
        if NUMBER_ASSIGNMENTS.name in options.resources and known.awaits_numbers(campaign_id):
            return False
        changed_at, there = self._changed_at.get(campaign_id), known.campaign(campaign_id)
        return is_idle(cursor, there, changed_at, now, int(IDLE_AFTER * 1_000_000))

    def is_due(self, cursor: Cursor | None) -> bool:
        """Whether a campaign with this cursor is to be read to its end in this run."""
        if self.options.full or cursor is None:
            return True
        every = int(self.options.full_walk_every * 1_000_000)
        return is_full_walk_due(cursor.full_walk_at, self.tools.clock.now(), every)
