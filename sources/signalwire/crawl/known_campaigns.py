"""What the destination has of each campaign, asked once, when the server's clock is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow.compute as pc

from sources.signalwire.http.server_clock import ServerClock
from sources.signalwire.incremental.existing import KnownCampaign, KnownData, KnownNumbers
from sources.signalwire.options import Options
from sources.signalwire.records.schema import ORDERS
from sources.signalwire.settings import NUMBERS_FOLLOW_WITHIN


@dataclass(eq=False)
class KnownCampaigns:
    """Remembers what the destination answers about campaigns."""

    existing: KnownData
    clock: ServerClock
    options: Options
    forget_cursors: Callable[[], None]
    _campaigns: Mapping[str, KnownCampaign] | None = field(default=None, init=False)
    _placed: bool = field(default=False, init=False)

    def campaign(self, campaign_id: str) -> KnownCampaign | None:
        """What it has of a campaign; None if there is no destination to ask, or no use in it."""
        if not self.existing.is_known or ORDERS.name not in self.options.resources:
            return None
        return self._known().get(campaign_id, KnownCampaign())

    def now(self) -> int:
        """The server's clock, ahead of all readings in the destination."""
        if self.existing.is_known:
            self._known()
        return self.clock.now()

    def campaign_ids(self) -> list[str]:
        """The campaigns that it has orders of."""
        return list(self._known()) if self.existing.is_known else []

    def placed(self, campaign_id: str) -> KnownCampaign:
        """What it has of a campaign, with positions also where all fits on a page as asked for.

        The server cuts pages shorter than that. All campaigns are asked for at once.
        """
        if not self._placed:
            self._campaigns, self._placed = self._ask(page_size=0), True
        return self._known().get(campaign_id, KnownCampaign())

    def orders_of(self, campaign_id: str) -> list[str]:
        """The ids of a campaign's orders that are not marked as deleted."""
        orders = self.existing.of_campaigns(ORDERS, [campaign_id])
        ids: list[str] = orders.filter(pc.is_null(orders["deleted_at"]))["id"].to_pylist()
        return ids

    def has_numbers(self) -> bool:
        """Whether it has any number assignment."""
        return self._numbers.any

    def awaits_numbers(self, campaign_id: str) -> bool:
        """Whether a campaign's number assignments may have changed since the last run."""
        return campaign_id in self._numbers.under_way

    @cached_property
    def _numbers(self) -> KnownNumbers:
        return self.existing.numbers(self.now() - int(NUMBERS_FOLLOW_WITHIN * 1_000_000))

    def _known(self) -> Mapping[str, KnownCampaign]:
        if self._campaigns is None:
            self._campaigns = self._ask(self.options.page_size)
        return self._campaigns

    def _ask(self, page_size: int) -> Mapping[str, KnownCampaign]:
        since = self.clock.now() - int(self.options.settle_after * 1_000_000)
        space = self.existing.space(since, page_size)
        horizon = self.clock.horizon()
        if horizon is not None and space.newest_moment > horizon:
            self.existing.repair_times(horizon, self.clock.now())
            # set by the same clock, they can have passed over what changed meanwhile
            self.forget_cursors()
            space = self.existing.space(since, page_size)
        self.clock.stay_ahead_of(space.newest_reading)
        return space.campaigns
