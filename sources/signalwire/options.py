"""What a run reads, and the checks a setting has to pass before anything is sent."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from sources.signalwire import settings
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import (
    BRANDS,
    CAMPAIGNS,
    NUMBER_ASSIGNMENTS,
    ORDERS,
    RESOURCES,
)
from sources.signalwire.settings import KNOWN_STATES, NUMBERS

logger = logging.getLogger(__name__)

# a setting of number_assignments: only where something is under way
AUTO = "auto"
DEFAULT_RESOURCES = frozenset({BRANDS.name, CAMPAIGNS.name, ORDERS.name})


MAX_SHARDS = 1024
# so many hexadecimal digits of the id's MD5, which every database can compute too
SHARD_DIGITS = 8


class Shard(NamedTuple):
    """One of several disjoint parts of a space, counted from 1, so that several machines share it.

    A brand always belongs to the same part, whatever other brands there are: its id alone decides.
    """

    part: int
    of: int

    def __str__(self) -> str:
        return f"{self.part}/{self.of}"

    def holds(self, brand_id: str) -> bool:
        """Whether a brand belongs to this part."""
        digest = hashlib.md5(brand_id.encode(), usedforsecurity=False).hexdigest()
        return int(digest[:SHARD_DIGITS], 16) % self.of == self.part - 1


def parse_shard(text: str | None) -> Shard | None:
    """The part that `text` means, such as `2/8`; None for everything, which 1/1 is too.

    Raises:
        ConfigurationError: it is not I/N, with I from 1 to N and N up to 1024.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text.strip(), re.ASCII)
    part, of = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 1 <= part <= of <= MAX_SHARDS:
        raise ConfigurationError(
            f"shard is {text!r}; it has to be I/N, the I-th of N parts, such as 2/8"
            f" (N up to {MAX_SHARDS})"
        )
    return Shard(part, of) if of > 1 else None


@dataclass(frozen=True)
class Options:
    """What a run reads, and how far: the settings of `signalwire()`, where empty means all."""

    resources: frozenset[str] = DEFAULT_RESOURCES
    numbers_under_way_only: bool = False  # number_assignments = "auto"
    brand_ids: tuple[str, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    order_state: str | None = None
    include_sensitive: bool = False
    workers: int = settings.DEFAULT_WORKERS
    adapt_workers: bool = True
    page_size: int = settings.DEFAULT_PAGE_SIZE
    full: bool = False
    full_walk_every: float = settings.FULL_WALK_EVERY
    recheck_idle_every: float = settings.RECHECK_IDLE_EVERY
    settle_after: float = settings.SETTLE_AFTER
    shard: Shard | None = None

    @cached_property
    def _wanted(self) -> frozenset[str]:
        return frozenset(campaign_id.lower() for campaign_id in self.campaign_ids)

    def wants(self, campaign_id: Any) -> bool:
        """Whether a campaign is among those to read, whatever the case of its id."""
        return not self._wanted or str(campaign_id).lower() in self._wanted

    @property
    def narrowing(self) -> dict[str, Any] | None:
        """What the run is limited to, by name; None if to nothing."""
        limits: dict[str, Any] = {
            "brands": list(self.brand_ids),
            "campaigns": list(self.campaign_ids),
            "state": self.order_state,
        }
        return {name: value for name, value in limits.items() if value} or None


def checked_options(
    *,
    resources: Sequence[str] | None,
    number_assignments: bool | str,
    brand_ids: Sequence[str] | None,
    campaign_ids: Sequence[str] | None,
    order_state: str | None,
    shard: str | None,
    **others: Any,
) -> Options:
    """The options from the source's settings; `others` are numbers, and what is on or off.

    Raises:
        ConfigurationError: a resource is not known, a number is out of range, or settings do not
            go together.
    """
    part = parse_shard(shard)
    if part and (brand_ids or campaign_ids):
        raise ConfigurationError(
            "a shard reads all that falls to it; choose either a shard, or brands and campaigns"
        )
    chosen = frozenset(resources) if resources is not None else DEFAULT_RESOURCES
    if unknown := sorted(chosen - RESOURCES.keys()):
        raise ConfigurationError(
            f"there is no resource {', '.join(map(repr, unknown))};"
            f" choose from {', '.join(RESOURCES)}"
        )
    if not chosen:
        raise ConfigurationError("no resource is chosen, so there is nothing to load")
    numbers = _numbers(number_assignments)
    if numbers and resources is None:
        chosen |= {NUMBER_ASSIGNMENTS.name}
    return Options(
        resources=chosen,
        numbers_under_way_only=numbers == AUTO,
        brand_ids=_ids("brand_ids", brand_ids),
        campaign_ids=_ids("campaign_ids", campaign_ids),
        order_state=_state(order_state),
        shard=part,
        **{name: number(name, v) if name in NUMBERS else v for name, v in others.items()},
    )


def required(name: str, value: str) -> str:
    """The value without surrounding white space.

    Raises:
        ConfigurationError: it is empty or still a placeholder; the message names the setting.
    """
    text = str(value).strip()
    if not text or text.startswith("<"):
        raise ConfigurationError(
            f"sources.signalwire.{name} is empty; set it in .dlt/secrets.toml or in the"
            f" environment as SOURCES__SIGNALWIRE__{name.upper()}"
        )
    return text


def number(name: str, value: Any) -> Any:
    """The value of a setting that is a number.

    Raises:
        ConfigurationError: it is none, or out of its range; the message names both.
    """
    kind, low, high = NUMBERS[name]
    kinds = (int,) if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise ConfigurationError(
            f"sources.signalwire.{name} is {value!r}; it has to be {range_of(name)}"
        )
    return value


def range_of(name: str) -> str:
    """What a setting that is a number can be, in words."""
    kind, low, high = NUMBERS[name]
    return f"a {'whole ' if kind is int else ''}number from {low:.15g} to {high:.15g}"


def _state(state: str | None) -> str | None:
    """The state as the API writes it; one that is not documented may be new there."""
    if state is None:
        return None
    found = required("order_state", state).lower()
    if found not in KNOWN_STATES:
        logger.warning(
            "order_state is %r, which is none of the states that are known (%s); a run finds"
            " nothing unless the API has it",
            found,
            ", ".join(KNOWN_STATES),
        )
    return found


def _numbers(wanted: bool | str) -> bool | str:
    """Whether number assignments are wanted: true, false or auto; from the environment as text."""
    values: dict[str, bool | str] = {"true": True, "false": False, AUTO: AUTO}
    found = values.get(str(wanted).strip().lower())
    if found is None:
        raise ConfigurationError(
            f"sources.signalwire.number_assignments is {wanted!r}; it has to be true, false or"
            f" {AUTO!r}"
        )
    return found


def _ids(name: str, ids: Sequence[str] | None) -> tuple[str, ...]:
    if isinstance(ids, str):
        raise ConfigurationError(f"sources.signalwire.{name} has to be a list of ids")
    return tuple(dict.fromkeys(required(name, i) for i in ids or ()))
