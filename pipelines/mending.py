"""Times that a wrong clock has written, and that have not come yet, are set to the present.

Left as they were, they would keep newer versions of orders out, and make the data look fresh, until
that time comes.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

logger = logging.getLogger(__name__)

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
_HORIZON, _NOW = "horizon", "now"
VALUES = (
    (_HORIZON, _NOW) * 2 + (_HORIZON,) * 2,
    (_HORIZON, _NOW) * 2 + (_HORIZON,) * 2,
    (_HORIZON, _NOW, _HORIZON, _NOW, _NOW, _HORIZON, _NOW) + (_HORIZON,) * 3,
)


def mend_times(
    client: Any, tables: Mapping[str, str], ours: str, *, horizon: Any, now: Any
) -> None:
    """Sets all times beyond the horizon to the present. The run's lock has to be held.

    Args:
        client: dlt's SQL client of the destination, with an open connection.
        tables: To each of our tables its name in SQL.
        ours: The condition in SQL for orders that fall to this run.
        horizon: The latest time that can have come, as the destination compares it.
        now: The present, likewise.
    """
    logger.warning("the clock was wrong once: times that have not come yet are set to the present")
    moments = {_HORIZON: horizon, _NOW: now}
    for statement, values in zip(STATEMENTS, VALUES, strict=True):
        client.execute_sql(statement.format(**tables, ours=ours), *(moments[v] for v in values))
