"""How far each campaign's orders have been loaded. Pure functions of plain values.

A campaign's cursor has a watermark on `updated_at`: of the orders that its walks read, every
version up to it is in the destination. The watermark stays behind the moment at which a walk
began, by the server's clock, less a margin for changes that become visible late; so an order that
changes while the walk goes on is always ahead of it. Versions between the watermark and the end of
the walk are remembered one by one.

All moments are in microseconds since the epoch, UTC.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pyarrow as pa

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.incremental.diff import fingerprints
from sources.signalwire.shard import Shard

STATE_VERSION = 1
LATE_COMMIT_MARGIN = 300_000_000
# Beyond this many versions newer than the watermark, none is remembered: they are loaded again.
MAX_RECENT = 2_000
_MARK_LENGTH = 8


class Cursor(NamedTuple):
    """What is known to be in the destination of one campaign's orders.

    `brand_id` is the brand the rows were loaded with; every order created up to
    `created_watermark` has been met; `full_walk_at` is when the campaign was last read to its end
    on purpose; `recent` are fingerprints of the versions loaded that are newer than `watermark`.
    """

    watermark: int
    brand_id: str
    created_watermark: int = 0
    full_walk_at: int = 0
    recent: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Versions:
    """The orders of one page as read, in columns: ids, when each changed and was created, and rows.

    In columns, because there are a million of them in a backfill, and objects cost time. Two pages
    are equal if ids and times are, whenever they were read.
    """

    ids: Sequence[str]
    updated_at: Sequence[int | None]
    created_at: Sequence[int | None]
    rows: pa.Table = field(compare=False)

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, positions: Sequence[int]) -> Versions:
        """Those at some positions."""
        return Versions(
            [self.ids[n] for n in positions],
            [self.updated_at[n] for n in positions],
            [self.created_at[n] for n in positions],
            self.rows.take(pa.array(positions, pa.int64())),
        )

    def marks(self, positions: Sequence[int]) -> list[str]:
        """For each position eight characters that differ when anything of the order differs."""
        rows = self.rows.take(pa.array(positions, pa.int64()))
        return [base64.b64encode(found[:6]).decode() for found in fingerprints(rows)]


def not_loaded(cursor: Cursor | None, versions: Versions) -> list[int]:
    """Positions of the versions that are not in the destination, as far as the cursor can tell."""
    if cursor is None:
        return list(range(len(versions)))
    limit = cursor.watermark
    ahead = [n for n, moment in enumerate(versions.updated_at) if moment is None or moment > limit]
    if not ahead or not cursor.recent:
        return ahead
    return [
        n
        for n, mark in zip(ahead, versions.marks(ahead), strict=True)
        if versions.updated_at[n] is None or mark not in cursor.recent
    ]


def is_outdated(updated_at: int | None, by: int | None, now: int) -> bool:
    """Whether a version read now is older than one of the same order that was read before it.

    What is read later is newer, unless the times of change say the opposite; a missing one says
    nothing, nor does one in the future.
    """
    if updated_at is None or by is None or by > now:
        return False
    return updated_at < by


class Reading:
    """Follows one walk of one campaign: what is new in it, and where the cursor ends up."""

    def __init__(self, cursor: Cursor | None, brand_id: str) -> None:
        # rows carry the brand's id: should a campaign move to another brand, all are loaded again
        self.cursor = cursor if cursor and cursor.brand_id == brand_id else None
        self._brand_id = brand_id
        self._began_at: int | None = None
        self._highest: int | None = None
        self._newest = 0
        self._recent: set[str] = set()
        self._found_new = False

    def begin(self, now: int | None) -> None:
        """Notes the server's clock when the first page was served; later calls do nothing.

        Without a clock of the server the watermark cannot be set, and all is loaded again.
        """
        if self._began_at is None:
            self._began_at = now

    def note(self, versions: Versions) -> None:
        """Takes note of versions of which another part decides whether they are loaded."""
        self._newest = max(filter(None, (self._newest, *versions.created_at)), default=0)
        began = self._began_at
        changed = [moment for moment in versions.updated_at if moment is not None]
        if began is None or not changed:
            return
        highest = max(changed)
        self._highest = highest if self._highest is None else max(highest, self._highest)
        limit = began - LATE_COMMIT_MARGIN
        if highest > limit and len(self._recent) <= MAX_RECENT:
            moments = enumerate(versions.updated_at)
            recent = [n for n, moment in moments if moment is not None and moment > limit]
            self._recent.update(versions.marks(recent))

    def new_ones(self, versions: Versions) -> list[int]:
        """Positions of the versions that have to be loaded."""
        self.note(versions)
        new = not_loaded(self.cursor, versions)
        self._found_new = self._found_new or bool(new)
        return new

    def end(self, *, full: bool = False) -> Cursor | None:
        """The cursor after a walk that read all it meant to; `full`: to the end, on purpose.

        It is the old one itself when nothing was new: then the state need not be written.
        """
        if self._began_at is None or not (full or self._found_new):
            return self.cursor
        limit = self._began_at - LATE_COMMIT_MARGIN
        before = self.cursor or Cursor(0, self._brand_id)
        return Cursor(
            watermark=min(limit, before.watermark if self._highest is None else self._highest),
            brand_id=self._brand_id,
            created_watermark=max(before.created_watermark, min(limit, self._newest)),
            full_walk_at=self._began_at if full else before.full_walk_at,
            recent=frozenset(self._recent if len(self._recent) <= MAX_RECENT else ()),
        )


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch of an aware moment, exactly."""
    epoch = datetime.fromtimestamp(0, tz=moment.tzinfo)
    return (moment - epoch) // timedelta(microseconds=1)


def claim(state: dict[str, Any], project: str) -> None:
    """Notes in the pipeline's state whose orders these are, the first time.

    Raises:
        ConfigurationError: they are another project's. To this one's credentials all of them would
            seem to be gone.
    """
    if state.setdefault("project", project) != project:
        raise ConfigurationError(
            "this dataset holds the orders of another project; load this one into a dataset of its"
            " own, with --dataset NAME"
        )


def dump_cursors(cursors: Mapping[str, Cursor], state: dict[str, Any]) -> None:
    """Puts the cursors into the pipeline's state, in a few dozen bytes of JSON each."""
    state["version"] = STATE_VERSION
    state["cursors"] = {
        campaign_id: [*cursor[:-1], "".join(sorted(cursor.recent))]
        for campaign_id, cursor in sorted(cursors.items())
    }


def load_cursors(state: Mapping[str, Any]) -> dict[str, Cursor]:
    """The cursors from the pipeline's state; those that cannot be relied on are left out.

    A campaign without a cursor is read completely, so state of another version or damaged state
    costs a full walk and nothing else.
    """
    stored = state.get("cursors")
    if state.get("version") != STATE_VERSION or not isinstance(stored, dict):
        return {}
    loaded = {campaign_id: _cursor(entry) for campaign_id, entry in stored.items()}
    return {campaign_id: cursor for campaign_id, cursor in loaded.items() if cursor}


def newest_cursors(
    ours: Mapping[str, Cursor], theirs: Mapping[str, Cursor], shard: Shard | None
) -> dict[str, Cursor]:
    """Our cursors with those that another layout of shards brought further, for our brands.

    Any cursor that was ever stored with its data tells the truth; a later one tells more of it.
    """
    merged = dict(ours)
    for campaign_id, cursor in theirs.items():
        if shard is not None and not shard.holds(cursor.brand_id):
            continue
        if campaign_id not in merged or _reach(cursor) > _reach(merged[campaign_id]):
            merged[campaign_id] = cursor
    return merged


def _reach(cursor: Cursor) -> tuple[int, int, int]:
    return cursor.watermark, cursor.created_watermark, cursor.full_walk_at


def _cursor(entry: Any) -> Cursor | None:
    match entry:
        case [int(watermark), str(brand_id), int(created), int(full), str(marks)]:
            if len(marks) % _MARK_LENGTH == 0:
                starts = range(0, len(marks), _MARK_LENGTH)
                recent = frozenset(marks[start : start + _MARK_LENGTH] for start in starts)
                return Cursor(watermark, brand_id, created, full, recent)
    return None
