"""What the destination already has, asked in SQL that every destination speaks."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from dlt.common.destination.client import WithStateSync
from dlt.common.destination.exceptions import DestinationUndefinedEntity
from dlt.pipeline.state_sync import load_pipeline_state_from_destination

from pipelines.destinations.base import PIPELINE_NAME, Destination
from pipelines.destinations.columns import made_columns
from pipelines.destinations.rows import (
    ROWS_AT_ONCE,
    arrow_schema,
    columns_there,
    instant,
    tables_of,
)
from sources.signalwire.incremental.depth import ASSIGNED, FINAL_STATE, SETTLING_STATE
from sources.signalwire.incremental.existing import (
    KnownCampaign,
    KnownData,
    KnownNumbers,
    KnownRecord,
    KnownSpace,
    Unsettled,
)
from sources.signalwire.records.fingerprints import fingerprints
from sources.signalwire.records.schema import BRANDS, NUMBER_ASSIGNMENTS, ORDERS, RUNS, Table
from sources.signalwire.records.values import microseconds

logger = logging.getLogger(__name__)

# ids in one statement; more of them make it long, fewer make more statements
IDS_AT_ONCE = 1_000
EPOCH = datetime.fromtimestamp(0, tz=timezone.utc)

CAMPAIGNS = """
SELECT campaign_id, count(CASE WHEN deleted_at IS NULL THEN 1 END), max(read_at)
FROM {orders} WHERE {ours} GROUP BY campaign_id
"""
# campaigns with how many of their orders may have led to assignments that are not known yet
ORDERS_UNDER_WAY = f"""
SELECT campaign_id, count(CASE
    WHEN updated_at IS NULL OR updated_at > %s
        OR state IS NULL OR state NOT IN ('{FINAL_STATE}', '{SETTLING_STATE}') THEN 1
END)
FROM {{orders}} WHERE deleted_at IS NULL AND {{ours}} GROUP BY campaign_id
"""  # noqa: S608 - nothing in it comes from outside
# campaigns with how many of their assignments are to change
NUMBERS_UNDER_WAY = f"""
SELECT campaign_id, count(CASE
    WHEN deleted_at IS NULL
        AND (state IS NULL OR state <> '{ASSIGNED}' OR missing_since IS NOT NULL) THEN 1
END)
FROM {{number_assignments}} WHERE {{ours}} GROUP BY campaign_id
"""  # noqa: S608 - nothing in it comes from outside
NEWEST_RUN = "SELECT max(read_at), max(finished_at) FROM {runs}"
# the newest state of each pipeline that has ever loaded into this dataset
STATES = f"""
SELECT s.pipeline_name, max(l.load_id) FROM _dlt_pipeline_state AS s
JOIN _dlt_loads AS l ON l.load_id = s._dlt_load_id
WHERE l.status = 0 AND s.pipeline_name LIKE '{PIPELINE_NAME}%%'
GROUP BY s.pipeline_name
"""  # noqa: S608 - nothing in it comes from outside
# Positions matter only where a campaign fills more than one page; all other orders are on page one.
UNSETTLED = f"""
WITH here AS (
    SELECT id, campaign_id, state, created_at, updated_at FROM {{orders}}
    WHERE deleted_at IS NULL AND {{ours}}
), large AS (
    SELECT campaign_id FROM here GROUP BY campaign_id HAVING count(*) > %s
), placed AS (
    SELECT id, campaign_id, state, updated_at,
        row_number() OVER (PARTITION BY campaign_id ORDER BY created_at DESC) AS place,
        row_number() OVER (PARTITION BY campaign_id, state ORDER BY created_at DESC) AS in_state
    FROM here WHERE campaign_id IN (SELECT campaign_id FROM large)
    UNION ALL
    SELECT id, campaign_id, state, updated_at, 1 AS place, 1 AS in_state
    FROM here WHERE campaign_id NOT IN (SELECT campaign_id FROM large)
)
SELECT campaign_id, id, state, place, in_state FROM placed
WHERE state IS NULL OR state NOT IN ('{FINAL_STATE}', '{SETTLING_STATE}')
    OR (state = '{SETTLING_STATE}' AND (updated_at IS NULL OR updated_at > %s))
"""  # noqa: S608 - nothing in it comes from outside


class ExistingData(KnownData):
    """Answers the source's questions from the tables; nothing where there are none yet.

    Every question opens the destination and closes it again: a DuckDB file must not be held open
    while the API is being read, which can take long.
    """

    is_known = True

    def __init__(self, target: Destination) -> None:
        self._target = target
        self._client = target.probe.sql_client()
        self._made: dict[str, set[str]] | None = None
        self._asking = threading.RLock()

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """Has questions wait while something is being loaded, which another thread may ask."""
        with self._asking:
            yield
            # tables and columns may have been made since
            self._made = None

    def space(self, untouched_since: int, page_size: int) -> KnownSpace:
        unsettled: defaultdict[str, list[Unsettled]] = defaultdict(list)
        campaigns: dict[str, KnownCampaign] = {}
        since = self._sql_time(untouched_since)
        newest = noted = EPOCH
        with self._asking, self._target.shared_connection():
            for campaign_id, *order in self._query(UNSETTLED, page_size, since):
                unsettled[campaign_id].append(Unsettled(*order))
            for campaign_id, count, read_at in self._query(CAMPAIGNS):
                newest = max(newest, instant(read_at))
                if count:
                    campaigns[campaign_id] = KnownCampaign(count, tuple(unsettled[campaign_id]))
            for read_at, finished_at in self._query(NEWEST_RUN):
                if read_at is not None:
                    newest, noted = max(newest, instant(read_at)), instant(finished_at)
        return KnownSpace(campaigns, microseconds(newest), microseconds(max(newest, noted)))

    def repair_times(self, horizon: int, now: int) -> None:
        if not self._target.capabilities.stale_row_filter:
            return
        latest, present = (EPOCH + timedelta(microseconds=moment) for moment in (horizon, now))
        with self._asking, self._client as client:
            logger.warning("a clock was wrong once: times in the future are set to the present")
            self._target.repair_times(client, latest, present)

    def newer_states(self) -> Sequence[Mapping[str, Any]]:
        if self._target.no_shards:
            return []
        found: dict[str, str] = {str(name): str(load_id) for name, load_id in self._query(STATES)}
        ours = found.get(self._target.pipeline_name, "")
        shard = self._target.shard
        layout = str(shard.of) if shard else ""
        newer = [n for n in found if n.partition("_of_")[2] != layout and found[n] > ours]
        if not newer:
            return []
        with self._asking, self._target.probe.destination_client() as client:
            assert isinstance(client, WithStateSync)
            states = [load_pipeline_state_from_destination(name, client) for name in newer]
        sources = [state.get("sources", {}) for state in states if state]
        return [source["signalwire"] for source in sources if "signalwire" in source]

    def numbers(self, changed_since: int) -> KnownNumbers:
        since = self._sql_time(changed_since)
        with self._asking, self._target.shared_connection():
            schema = self._schema(NUMBER_ASSIGNMENTS)
            # one from before assignments had a history lacks columns, and all are read again
            whole = schema is not None and "missing_since" in schema.names
            orders: dict[str, int] = dict(self._query(ORDERS_UNDER_WAY, since))  # type: ignore[arg-type]
            numbers: dict[str, int] = dict(self._query(NUMBERS_UNDER_WAY)) if whole else {}  # type: ignore[arg-type]
        under_way = {name for found in (numbers, orders) for name, count in found.items() if count}
        return KnownNumbers(bool(numbers), frozenset(under_way | (orders.keys() - numbers.keys())))

    def of_campaigns(self, table: Table, campaign_ids: Sequence[str]) -> pa.Table:
        return self._rows(table, "campaign_id", campaign_ids)

    def by_id(self, table: Table, ids: Sequence[str]) -> pa.Table:
        return self._rows(table, table.key, ids)

    def records(self, *tables: Table) -> dict[str, dict[str, KnownRecord]]:
        with self._asking, self._target.shared_connection():
            return {table.name: dict(self._records(table)) for table in tables}

    def _records(self, table: Table) -> Iterator[tuple[str, KnownRecord]]:
        schema = self._schema(table)
        if schema is None:
            return
        whole = table.arrow_schema().empty_table()
        ours = self._target.shard_condition("id" if table is BRANDS else "brand_id")
        for found in self._tables(schema, f"FROM {self._name(table)} WHERE {ours}"):
            # one from an earlier version lacks columns
            rows = pa.concat_tables([whole, found], promote_options="default")
            states = rows["state"].to_pylist()
            deleted = pc.is_valid(rows["deleted_at"]).to_pylist()
            brands = [None] * len(rows) if table is BRANDS else rows["brand_id"].to_pylist()
            known = map(KnownRecord, fingerprints(rows), states, deleted, brands)
            yield from zip(rows["id"].to_pylist(), known, strict=True)

    def _rows(self, table: Table, column: str, values: Sequence[str]) -> pa.Table:
        # to open a file takes as long as a request
        schema = self._schema(table) if values else None
        tables = [table.arrow_schema().empty_table()]
        if schema is None:
            return tables[0]
        tables.append(schema.empty_table())
        for start in range(0, len(values), IDS_AT_ONCE):
            some = list(values[start : start + IDS_AT_ONCE])
            marks = ", ".join(["%s"] * len(some))
            source = f"FROM {self._name(table)} WHERE {column} IN ({marks})"
            tables += self._tables(schema, source, *some)
        return pa.concat_tables(tables, promote_options="default")

    def _schema(self, table: Table) -> pa.Schema | None:
        """The table as we made it: with columns of fields that came later, without dlt's own.

        None if it is not there.
        """
        with self._asking, self._client as client:
            there = columns_there(client, self._name(table))
            if not there:
                return None
            if self._made is None:
                self._made = made_columns(client)
        made = self._made[table.name]
        # a user's column may differ from ours in case only
        names = dict.fromkeys(n for n in there if n in made and not n.startswith("_dlt"))
        return arrow_schema(table.name, [*names])

    def _tables(self, schema: pa.Schema, source: str, *values: Any) -> Iterator[pa.Table]:
        """The rows of `schema` that come from `source`, the rest of a statement, bit by bit."""
        selected = ", ".join(self._client.escape_column_name(name) for name in schema.names)
        with self._answer(f"SELECT {selected} {source}", *values) as cursor:
            yield from tables_of(cursor, schema)

    def _sql_time(self, moment: int) -> Any:
        return self._target.sql_time(max(EPOCH, EPOCH + timedelta(microseconds=moment)))

    def _name(self, table: Table) -> str:
        """The table's full name: not every destination looks into the dataset by itself."""
        return str(self._client.make_qualified_table_name(table.name))

    def _query(self, sql: str, *values: Any) -> Iterator[Sequence[Any]]:
        names = {table.name: self._name(table) for table in (ORDERS, NUMBER_ASSIGNMENTS, RUNS)}
        sql = sql.format(**names, ours=self._target.shard_condition("brand_id"))
        with suppress(DestinationUndefinedEntity), self._answer(sql, *values) as cursor:
            while rows := cursor.fetchmany(ROWS_AT_ONCE):
                yield from rows

    @contextmanager
    def _answer(self, sql: str, *values: Any) -> Iterator[Any]:
        with self._asking, self._client as client, client.execute_query(sql, *values) as cursor:
            yield cursor
