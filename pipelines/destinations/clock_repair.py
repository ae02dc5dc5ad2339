"""Times that a wrong clock has written, and that have not come yet, are set to the present.

Left as they were, they would keep newer versions of orders out, and make the data look fresh, until
that time comes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from sources.signalwire.records.schema import BRANDS, HISTORIES, ORDERS, RUNS

# dlt takes the state and the schema that were stored last, by this machine's clock
STATES = "DELETE FROM {_dlt_pipeline_state} WHERE _dlt_load_id > %s"
SCHEMAS = "UPDATE {_dlt_version} SET inserted_at = %s WHERE inserted_at > %s"
# the columns in which runs note times by the server's clock; of all it is only known that they
# were before now
NOTED = ("seen_at", "read_at", "missing_since", "deleted_at")
# of a run this machine's clock tells when it was
OF_RUNS = """
UPDATE {runs} SET
    started_at = CASE WHEN started_at > %s THEN %s ELSE started_at END,
    read_at = CASE
        WHEN read_at > %s THEN CASE WHEN finished_at < %s THEN finished_at ELSE %s END
        ELSE read_at
    END,
    finished_at = CASE WHEN finished_at > %s THEN %s ELSE finished_at END
WHERE started_at > %s OR read_at > %s OR finished_at > %s
"""
OF_FAILED_RUNS = "UPDATE {runs} SET failed_at = %s WHERE failed_at > %s"
# in an interrupted run, what shows that times are wrong goes last: that of orders and runs
TABLES = (
    *(history.name for history in HISTORIES.values()),
    *(name for name in HISTORIES if name != ORDERS.name),
    ORDERS.name,
    RUNS.name,
)
OF_DLT = ("_dlt_pipeline_state", "_dlt_version")


def changes(
    columns: Mapping[str, Collection[str]], ours: Callable[[str], str], horizon: Any, now: Any
) -> Iterator[tuple[str, list[Any]]]:
    """The statements that change our tables, each with its values.

    `columns` are those that each table has there: one of an earlier version may lack some, or all;
    `ours` the condition in SQL for what falls to this run, by a column of brand ids.
    """
    for table in TABLES:
        there = columns[table]
        noted = [name for name in NOTED if name in there]
        if table == RUNS.name:
            if "failed_at" in there:
                yield OF_FAILED_RUNS, [now, horizon]
            yield OF_RUNS, [horizon, now, horizon, now, now, horizon, now, *[horizon] * 3]
        elif noted:
            changed = (f"{name} = CASE WHEN {name} > %s THEN %s ELSE {name} END" for name in noted)
            later = " OR ".join(f"{name} > %s" for name in noted)
            condition = ours("id" if table == BRANDS.name else "brand_id")
            yield (
                f"UPDATE {{{table}}} SET {', '.join(changed)} WHERE ({later}) AND {condition}",  # noqa: S608
                [horizon, now] * len(noted) + [horizon] * len(noted),
            )
