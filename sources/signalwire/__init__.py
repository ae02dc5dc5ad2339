"""SignalWire's campaign registry as a dlt source: brands, campaigns and number assignment orders.

It stands in this module because dlt names the configuration section after it:
`[sources.signalwire]`, or `SOURCES__SIGNALWIRE__…` in the environment.
"""

from collections.abc import Iterator
from typing import Any

import dlt
import pyarrow as pa
from dlt.common.configuration import known_sections, with_config
from dlt.common.typing import TSecretStrValue
from dlt.extract import DltResource

from sources.signalwire import settings
from sources.signalwire.crawl.crawler import Crawler
from sources.signalwire.crawl.prefetch import prefetched
from sources.signalwire.crawl.run_record import RunRecord
from sources.signalwire.crawl.stretches import Cut, Stretches
from sources.signalwire.http.base_url import base_url
from sources.signalwire.http.client import Client, HttpSettings
from sources.signalwire.http.concurrency import Concurrency
from sources.signalwire.incremental.cursor import Cursor
from sources.signalwire.incremental.existing import KnownData
from sources.signalwire.incremental.state import (
    Cursors,
    claim,
    dump_cursors,
    load_cursors,
    newest_cursors,
)
from sources.signalwire.options import Options, checked_options, number, required
from sources.signalwire.records.batch import TableRows
from sources.signalwire.records.schema import BOOKKEEPING, NUMBER_ASSIGNMENTS, RESOURCES, Table
from sources.signalwire.stats import RunStats


@dlt.source(
    name="signalwire",
    # new fields become columns; a type never changes under a table that is already there
    schema_contract={"tables": "evolve", "columns": "evolve", "data_type": "freeze"},
)
def signalwire(
    space: str = dlt.config.value,
    project_id: str = dlt.config.value,
    api_token: TSecretStrValue = dlt.secrets.value,
    resources: list[str] | None = None,
    brand_ids: list[str] | None = None,
    campaign_ids: list[str] | None = None,
    order_state: str | None = None,
    number_assignments: str = "false",
    include_sensitive: bool = False,
    workers: int = settings.DEFAULT_WORKERS,
    adapt_workers: bool = True,
    page_size: int = settings.DEFAULT_PAGE_SIZE,
    request_timeout: float = settings.REQUEST_TIMEOUT,
    request_max_attempts: int = settings.REQUEST_MAX_ATTEMPTS,
    request_backoff_factor: float = settings.REQUEST_BACKOFF_FACTOR,
    request_max_retry_delay: float = settings.REQUEST_MAX_RETRY_DELAY,
    full: bool = False,
    full_walk_every: float = settings.FULL_WALK_EVERY,
    recheck_idle_every: float = settings.RECHECK_IDLE_EVERY,
    settle_after: float = settings.SETTLE_AFTER,
    shard: str | None = None,
    stats: RunStats | None = None,
    known: KnownData | None = None,
    stretches: Stretches | None = None,
) -> list[DltResource]:
    """Orders of every campaign of a SignalWire space, with the campaigns and brands they belong to.

    Only orders that are new or changed since the last completed run are loaded; how far each
    campaign has come is part of the pipeline's state and is stored with the data.

    Args:
        space: `acme`, `acme.signalwire.com` or an https URL (http for this machine alone).
        project_id: The project's id, the user name of the API.
        api_token: An API token with the scopes Messaging and Numbers.
        resources: Tables to load, of brands, campaigns, orders and number_assignments; by default
            the first three.
        brand_ids: Read these brands only.
        campaign_ids: Read these campaigns only.
        order_state: Read orders in this state only, in upper or lower case. Such a run moves no
            cursor.
        number_assignments: Also load number_assignments: `true` reads one more list for each
            campaign, `auto` only those of campaigns where something may have changed since the last
            run, and all of them with the daily full walk.
        include_sensitive: Also load contact data, tax ids and verification tokens.
        workers: The most concurrent requests, each over its own connection; 1 to 64.
        adapt_workers: Whether there are fewer while more would make the server slower; without it,
            always so many.
        page_size: Records to ask for per page; 1 to 1000.
        request_timeout: Seconds without a byte before a request is retried.
        request_max_attempts: Attempts per request, retries included.
        request_backoff_factor: Seconds before the first retry, doubled for each further one.
        request_max_retry_delay: Longest wait before a retry, in seconds.
        full: Read every campaign to its end and compare all of it with the destination.
        full_walk_every: Seconds after which a campaign is read to its end in any case; a very large
            number for never.
        recheck_idle_every: Seconds after which a campaign is read again in which nothing has been
            under way for 30 days; what changes there is seen that much later. 0 reads it at every
            run.
        settle_after: Seconds after which a failed order that was not touched counts as settled.
        shard: `I/N` reads the I-th of N parts of the brands only. Whatever loads it has to keep
            the state of each part apart.
        known: Answers what the destination has; without it every campaign is read to its end, and
            no order is ever marked as deleted.
        stretches: For loading a long run in parts: the source is extracted and loaded again and
            again until it `is_over`. Without it all is extracted at once.
        stats: The run's id and counts, kept up to date while it goes on, for progress displays.

    Raises:
        ConfigurationError: a setting cannot work; nothing has been sent.
    """
    options = checked_options(
        resources=resources,
        number_assignments=number_assignments,
        brand_ids=brand_ids,
        campaign_ids=campaign_ids,
        order_state=order_state,
        include_sensitive=include_sensitive,
        workers=workers,
        adapt_workers=adapt_workers,
        page_size=page_size,
        full=full,
        full_walk_every=full_walk_every,
        recheck_idle_every=recheck_idle_every,
        settle_after=settle_after,
        shard=shard,
    )
    known = known or KnownData()
    stats = stats or RunStats()
    client = Client(
        base_url(required("space", space)),
        required("project_id", project_id),
        required("api_token", api_token),
        settings=HttpSettings(
            number("request_timeout", request_timeout),
            number("request_max_attempts", request_max_attempts),
            number("request_backoff_factor", request_backoff_factor),
            number("request_max_retry_delay", request_max_retry_delay),
        ),
        stats=stats,
        concurrency=Concurrency(options.workers, adapt=options.adapt_workers),
    )
    record = RunRecord(stats, options)

    @dlt.resource(name="walk", selected=False)
    def walk() -> Iterator[TableRows]:
        """One pass over the space, or its next stretch, from which every table takes its rows."""
        run, state = stretches or Stretches(is_whole=True), dlt.current.source_state()
        if not run.has_begun:
            cursors = Cursors(_stored_cursors(client, options, known, state))
            record.begin(_mode(cursors, options))
            crawler = Crawler(client, options, cursors, stats, record, known, run)
            run.begin(prefetched(crawler.run, crawler.stop), cursors)
        try:
            for found in run.items:
                if isinstance(found, Cut):
                    run.end()
                    dump_cursors(found.cursors, state)
                    return
                record.note_new_columns(found, dlt.current.source_schema())
                yield found
            dump_cursors(run.cursors.after(), state)
            yield from record.empty_tables(dlt.current.source_schema())
            yield record.end(client.clock.now())
            run.is_over = True
        except BaseException:
            run.close()
            raise

    # the table of number assignments is there in any case, since reports read it
    wanted = options.resources | {NUMBER_ASSIGNMENTS.name}
    tables = [table for name, table in RESOURCES.items() if name in wanted]
    return [walk, *(_resource(walk, table, options) for table in (*tables, *BOOKKEEPING.values()))]


@with_config(sections=(known_sections.SOURCES, "signalwire"))
def signalwire_client(
    space: str = dlt.config.value,
    project_id: str = dlt.config.value,
    api_token: TSecretStrValue = dlt.secrets.value,
    request_timeout: float = settings.REQUEST_TIMEOUT,
) -> Client:
    """A client with the source's own configuration that tries each request once, for `check`.

    Raises:
        ConfigurationError: a setting cannot work; nothing has been sent.
    """
    return Client(
        base_url(required("space", space)),
        required("project_id", project_id),
        required("api_token", api_token),
        settings=HttpSettings(number("request_timeout", request_timeout), request_max_attempts=1),
    )


def _stored_cursors(
    client: Client, options: Options, known: KnownData, state: dict[str, Any]
) -> dict[str, Cursor]:
    """The cursors of earlier runs, also of those in another layout of shards."""
    claim(state, client.project)
    before = load_cursors(state)
    shard = options.shard
    for other in known.newer_states():
        claim(dict(other), client.project)
        is_ours = shard.holds if shard else lambda _: True
        before = newest_cursors(before, load_cursors(other), is_ours)
    return before


def _mode(cursors: Cursors, options: Options) -> str:
    if not cursors.after():
        return "backfill"
    return "full" if options.full else "incremental"


def _resource(walk: DltResource, table: Table, options: Options) -> DltResource:
    def pick(found: TableRows) -> Iterator[pa.Table]:
        if found.table == table.name:
            yield found.rows

    resource: DltResource = dlt.transformer(
        pick,
        data_from=walk,
        name=table.name,
        primary_key=table.key,
        columns=table.hints(options.include_sensitive),
        write_disposition="merge",
    )
    resource.apply_hints(additional_table_hints={"description": table.description})
    return resource


__all__ = ["RunStats", "Stretches", "signalwire", "signalwire_client"]
