"""Times that a wrong clock has written, and that have not come yet, are set to the present.

Left as they were, they would keep newer versions of orders out, and make the data look fresh, until
that time comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sources.signalwire.records.schema import ORDER_CHANGES, ORDERS, RUNS

logger = logging.getLogger(__name__)

WARNING = "a clock was wrong once: times in the future are set to the present"
# dlt takes the state and the schema that were stored last, by this machine's clock
STATES = "DELETE FROM {_dlt_pipeline_state} WHERE _dlt_load_id > %s"
SCHEMAS = "UPDATE {_dlt_version} SET inserted_at = %s WHERE inserted_at > %s"
# Whichever is done last in an interrupted run, what shows that times are wrong goes last. Of a run
# this machine's clock tells when it was; of all else it is only known that it was before now.
STATEMENTS = (
    """
    UPDATE {order_changes} SET
        seen_at = CASE WHEN seen_at > %s THEN %s ELSE seen_at END,
        deleted_at = CASE WHEN deleted_at > %s THEN %s ELSE deleted_at END
    WHERE (seen_at > %s OR deleted_at > %s) AND {ours}
    """,
    """
    UPDATE {orders} SET
        read_at = CASE WHEN read_at > %s THEN %s ELSE read_at END,
        deleted_at = CASE WHEN deleted_at > %s THEN %s ELSE deleted_at END
    WHERE (read_at > %s OR deleted_at > %s) AND {ours}
    """,
    """
    UPDATE {runs} SET
        started_at = CASE WHEN started_at > %s THEN %s ELSE started_at END,
        read_at = CASE
            WHEN read_at > %s THEN CASE WHEN finished_at < %s THEN finished_at ELSE %s END
            ELSE read_at
        END,
        finished_at = CASE WHEN finished_at > %s THEN %s ELSE finished_at END
    WHERE started_at > %s OR read_at > %s OR finished_at > %s
    """,
)
TABLES = (
    *(table.name for table in (ORDERS, ORDER_CHANGES, RUNS)),
    "_dlt_pipeline_state",
    "_dlt_version",
)
_HORIZON, _NOW = "horizon", "now"
VALUES = (
    (_HORIZON, _NOW) * 2 + (_HORIZON,) * 2,
    (_HORIZON, _NOW) * 2 + (_HORIZON,) * 2,
    (_HORIZON, _NOW, _HORIZON, _NOW, _NOW, _HORIZON, _NOW) + (_HORIZON,) * 3,
)


def repair_times(
    client: Any, ours: str, *, horizon: datetime, now: datetime, sent: Callable[[datetime], Any]
) -> None:
    """Sets all times beyond the horizon to the present. The run's lock has to be held.

    Args:
        client: dlt's SQL client of the destination, with an open connection.
        ours: The condition in SQL for orders that fall to this run.
        horizon: The latest time that can have come.
        now: The present.
        sent: Makes of a moment what the destination compares.
    """
    logger.warning(WARNING)
    names = {name: client.make_qualified_table_name(name) for name in TABLES}

    def execute(statement: str, *values: Any) -> None:
        client.execute_sql(statement.format(**names, ours=ours), *values)

    execute(STATES, f"{horizon.timestamp():.0f}")
    execute(SCHEMAS, sent(now), sent(horizon))
    for statement, values in changes(sent(horizon), sent(now)):
        execute(statement, *values)


def changes(horizon: Any, now: Any) -> Iterator[tuple[str, list[Any]]]:
    """The statements that change our tables, each with its values."""
    moments = {_HORIZON: horizon, _NOW: now}
    for statement, values in zip(STATEMENTS, VALUES, strict=True):
        yield statement, [moments[value] for value in values]
