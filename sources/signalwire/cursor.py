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
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.shard import Shard
from sources.signalwire.values import as_json

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


class Version(NamedTuple):
    """One order as read: when it changed and was created, and its content."""

    updated_at: int | None
    created_at: int | None
    record: dict[str, Any]


def fingerprint(record: dict[str, Any]) -> str:
    """Eight characters that differ when any field of the record differs."""
    digest = hashlib.blake2b(as_json(record).encode(), digest_size=6).digest()
    return base64.b64encode(digest).decode()


def is_loaded(cursor: Cursor | None, version: Version) -> bool:
    """Whether this very version is in the destination already, as far as the cursor can tell."""
    if cursor is None or version.updated_at is None:
        return False
    if version.updated_at <= cursor.watermark:
        return True
    return bool(cursor.recent) and fingerprint(version.record) in cursor.recent


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
        self._newest: int | None = None
        self._recent: set[str] = set()
        self._found_new = False

    def begin(self, now: int | None) -> None:
        """Notes the server's clock when the first page was served; later calls do nothing.

        Without a clock of the server the watermark cannot be set, and all is loaded again.
        """
        if self._began_at is None:
            self._began_at = now

    def note(self, versions: Sequence[Version]) -> None:
        """Takes note of versions of which another part decides whether they are loaded."""
        for version in versions:
            self._note(version)

    def new_ones(self, versions: Sequence[Version]) -> Iterator[int]:
        """Positions of the versions that have to be loaded."""
        self.note(versions)
        for position, version in enumerate(versions):
            if not is_loaded(self.cursor, version):
                self._found_new = True
                yield position

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
            created_watermark=max(before.created_watermark, min(limit, self._newest or 0)),
            full_walk_at=self._began_at if full else before.full_walk_at,
            recent=frozenset(self._recent if len(self._recent) <= MAX_RECENT else ()),
        )

    def _note(self, version: Version) -> None:
        self._newest = max(version.created_at or 0, self._newest or 0)
        if version.updated_at is None or self._began_at is None:
            return
        self._highest = max(version.updated_at, self._highest or version.updated_at)
        is_recent = version.updated_at > self._began_at - LATE_COMMIT_MARGIN
        if is_recent and len(self._recent) <= MAX_RECENT:
            self._recent.add(fingerprint(version.record))


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
