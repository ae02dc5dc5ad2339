"""Conditions on the merge itself: an older version never replaces a newer one.

Whichever way it comes (a package left on another machine, an overlapping read), a row is only
merged if the destination has nothing newer under its id. dlt's merge strategies do not look at
what is there; its `source_filter`, SQL over the staged rows, can.
"""

from __future__ import annotations

from typing import Any

from dlt.extract import DltResource, DltSource
from dlt.pipeline.pipeline import Pipeline

from sources.signalwire.records.schema import ORDER_CHANGES, ORDERS

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
_CONDITIONS = {ORDERS.name: NEWER_IN_DESTINATION, ORDER_CHANGES.name: THERE_ALREADY}


def guard(source: DltSource, pipeline: Pipeline, kind: str) -> None:
    """Puts the conditions on the merge of those tables that need one.

    `kind` is the type of destination: on DuckDB `staging.py` leaves out what comes twice.
    """
    client = pipeline.destination_client().sql_client  # type: ignore[attr-defined]
    for name, condition in _CONDITIONS.items():
        if name not in source.resources:
            continue
        table, staging = client.get_qualified_table_names(name)
        if kind == "duckdb":
            _forget_order_of_versions(source.resources[name])
        # Any: dlt's types know these keys for its other strategies only
        disposition: Any = {
            "disposition": "merge",
            "strategy": "delete-insert",
            "deduplicated": kind == "duckdb",
            "source_filter": condition.format(table=table, staging=staging),
        }
        source.resources[name].apply_hints(write_disposition=disposition)


def _forget_order_of_versions(resource: DltResource) -> None:
    """Takes back the hint for dlt's own way, of which it would say that it goes unused."""
    # Any: dlt allows for hints that are functions
    hints: Any = resource.columns
    columns: Any = {
        name: {key: value for key, value in column.items() if key != "dedup_sort"}
        for name, column in hints.items()
    }
    resource.apply_hints(columns={})
    resource.apply_hints(columns=columns)
