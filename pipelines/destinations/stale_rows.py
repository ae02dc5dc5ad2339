"""Conditions on the merge itself: an older version never replaces a newer one.

Whichever way it comes (a package left on another machine, an overlapping read), a row is only
merged if the destination has nothing newer under its id. dlt's merge strategies do not look at
what is there; its `source_filter`, SQL over the staged rows, can.
"""

from __future__ import annotations

from typing import Any

import dlt
from dlt.sources import DltSource

from sources.signalwire.records.schema import HISTORIES

# the only strategy that deletes and inserts in one transaction, and takes a filter
STRATEGY = "delete-insert"
# The destination's version is the newer one if it changed later; where the times of change do not
# tell (one is missing or lies in the future, or they are equal), if it was read later. `id` stands
# alone because dlt uses the condition in statements that name the staged rows differently.
NEWER_IN_DESTINATION = """
id NOT IN (
    SELECT kept.id FROM {table} AS kept JOIN (
        SELECT id, max(updated_at) AS updated_at, max(read_at) AS read_at
        FROM {staging} WHERE id IN (SELECT id FROM {table}) GROUP BY id
    ) AS incoming ON incoming.id = kept.id
    WHERE CASE
        WHEN kept.updated_at > kept.read_at OR incoming.updated_at > incoming.read_at
            OR kept.updated_at = incoming.updated_at
            OR kept.updated_at IS NULL OR incoming.updated_at IS NULL
        THEN kept.read_at > incoming.read_at
        ELSE kept.updated_at > incoming.updated_at
    END
)"""
# a change seen again keeps the moment and the run in which it was seen first
THERE_ALREADY = "id NOT IN (SELECT kept.id FROM {table} AS kept)"
_CONDITIONS = {
    **dict.fromkeys(HISTORIES, NEWER_IN_DESTINATION),
    **{history.name: THERE_ALREADY for history in HISTORIES.values()},
}


def stale_row_filter(name: str, table: str, staging: str) -> str | None:
    """The condition on the staged rows of our table `name` that are merged; None if all are.

    A statement calls the table at the destination `table`, and reads staged rows from `staging`.
    """
    condition = _CONDITIONS.get(name)
    return condition and condition.format(table=table, staging=staging)


def filter_stale_rows(source: DltSource, pipeline: dlt.Pipeline) -> None:
    """Puts the conditions on the merge of those of a source's tables that need one."""
    client = pipeline.destination_client().sql_client  # type: ignore[attr-defined]
    for name in _CONDITIONS.keys() & source.resources.keys():
        # Any: dlt's types know the filter for its other strategies only
        disposition: Any = {
            "disposition": "merge",
            "strategy": STRATEGY,
            "deduplicated": False,
            "source_filter": stale_row_filter(name, *client.get_qualified_table_names(name)),
        }
        source.resources[name].apply_hints(write_disposition=disposition)
