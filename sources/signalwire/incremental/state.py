"""The cursors of all campaigns: stored in the pipeline's state, and moved by a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from sources.signalwire.errors import ConfigurationError
from sources.signalwire.incremental.cursor import Cursor

STATE_VERSION = 2
# the version before has the cursors as values; dlt looks at each of them, dozens of times a run
AS_VALUES = 1
_MARK_LENGTH = 8


class Cursors:
    """The cursor of each campaign, as it was before a run and as it is after it."""

    def __init__(self, before: Mapping[str, Cursor]) -> None:
        self._before = dict(before)
        self._after = dict(before)
        self._unsure: Counter[str] = Counter()
        self.have_moved = False

    def before(self, campaign_id: str) -> Cursor | None:
        """The cursor that a walk starts from."""
        return self._before.get(campaign_id)

    def after(self) -> Mapping[str, Cursor]:
        """The cursors as they are now."""
        return self._after

    def settled(self, waiting: Collection[str]) -> Mapping[str, Cursor]:
        """The cursors that can be stored while reading goes on; then none counts as moved.

        Campaigns whose rows are `waiting`, or of which something is still being looked up, are
        where they were.
        """
        self.have_moved = False
        cursors = dict(self._after)
        for campaign_id in {*waiting, *self._unsure}:
            self._put_back(campaign_id, cursors)
        return cursors

    def look_up(self, campaign_id: str) -> None:
        """Notes that something of a campaign is to be looked up, though its cursor has moved."""
        self._unsure[campaign_id] += 1

    def looked_up(self, campaign_id: str) -> None:
        """Notes that it was."""
        self._unsure[campaign_id] -= 1
        self._unsure += Counter()

    def advance(self, campaign_id: str, cursor: Cursor) -> None:
        """Takes the cursor of a walk that read all it meant to."""
        if self._after.get(campaign_id) != cursor:
            self.have_moved = True
            self._after[campaign_id] = cursor

    def hold(self, campaign_id: str) -> None:
        """Leaves a campaign where it was before the run, because something of it failed."""
        self._put_back(campaign_id, self._after)

    def forget(self) -> None:
        """Drops all cursors, so that every campaign is read completely."""
        self._before.clear()
        self._after.clear()

    def _put_back(self, campaign_id: str, cursors: dict[str, Cursor]) -> None:
        if campaign_id in self._before:
            cursors[campaign_id] = self._before[campaign_id]
        else:
            cursors.pop(campaign_id, None)


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
    """Puts the cursors into the pipeline's state: one text, a few dozen bytes of JSON each."""
    state["version"] = STATE_VERSION
    entries = {
        campaign_id: [*cursor[:-1], "".join(sorted(cursor.recent))]
        for campaign_id, cursor in sorted(cursors.items())
    }
    state["cursors"] = msgspec.json.encode(entries).decode()


def load_cursors(state: Mapping[str, Any]) -> dict[str, Cursor]:
    """The cursors from the pipeline's state; those that cannot be relied on are left out.

    A campaign without a cursor is read completely, so state of another version or damaged state
    costs a full walk and nothing else.
    """
    loaded = {campaign_id: _cursor(entry) for campaign_id, entry in _entries(state).items()}
    return {campaign_id: cursor for campaign_id, cursor in loaded.items() if cursor}


def newest_cursors(
    ours: Mapping[str, Cursor], theirs: Mapping[str, Cursor], is_ours: Callable[[str], bool]
) -> dict[str, Cursor]:
    """Our cursors with those that another layout of shards brought further.

    `is_ours` decides by a brand's id.

    Any cursor that was ever stored with its data tells the truth; a later one tells more of it.
    """
    merged = dict(ours)
    for campaign_id, cursor in theirs.items():
        if not is_ours(cursor.brand_id):
            continue
        if campaign_id not in merged or _reach(cursor) > _reach(merged[campaign_id]):
            merged[campaign_id] = cursor
    return merged


def _reach(cursor: Cursor) -> tuple[int, int, int]:
    return cursor.watermark, cursor.created_watermark, cursor.full_walk_at


def _entries(state: Mapping[str, Any]) -> dict[str, Any]:
    stored = state.get("cursors")
    if state.get("version") == STATE_VERSION:
        try:
            stored = msgspec.json.decode(stored or "")
        except (msgspec.DecodeError, TypeError):
            return {}
    elif state.get("version") != AS_VALUES:
        return {}
    return stored if isinstance(stored, dict) else {}


def _cursor(entry: Any) -> Cursor | None:
    match entry:
        case [int(watermark), str(brand_id), int(created), int(full), str(marks)]:
            if len(marks) % _MARK_LENGTH == 0:
                starts = range(0, len(marks), _MARK_LENGTH)
                recent = frozenset(marks[start : start + _MARK_LENGTH] for start in starts)
                return Cursor(watermark, brand_id, created, full, recent)
    return None
