"""The interface of a destination: everything that the project asks of where it loads to.

A destination is a subclass of `Destination` with its own file and a row in
`resolve.DESTINATIONS`; `tests/conformance` is what it has to pass. The defaults here suit any SQL
destination of dlt's, and promise nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypeVar

import dlt
import pyarrow as pa
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.pipeline import get_dlt_pipelines_dir
from dlt.destinations.exceptions import DatabaseTransientException, DestinationConnectionError
from dlt.destinations.job_client_impl import SqlJobClientBase
from dlt.sources import DltSource

from pipelines.destinations import clock_repair
from pipelines.destinations.lock import FileLock, Lock
from pipelines.destinations.naming import Schemas, folded, quoted, reports_dataset
from pipelines.destinations.read_only import require_reading
from pipelines.destinations.rows import arrow_schema, columns_there, select, tables_of
from pipelines.destinations.stale_rows import STRATEGY, filter_stale_rows
from pipelines.errors import NothingLoaded
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.options import Shard
from sources.signalwire.records.schema import ORDERS

T = TypeVar("T")
PIPELINE_NAME = "signalwire_orders"
DOCUMENTED = "docs/destinations.md"
UNLOADABLE = (
    "{kind} cannot be loaded into: dlt cannot replace rows there only if they are older, so that"
    f" orders would be there twice or outdated. Load into one of those that {DOCUMENTED} lists"
)
UNLOCKED = (
    "{} nothing keeps the runs of two machines apart, and two at once can lose rows: schedule them"
    " on one machine only"
)
# dlt's tables of states and of loads that are complete
STATES, LOADS = "_dlt_pipeline_state", "_dlt_loads"
NEWEST_STATE = """
SELECT max(l.load_id) FROM {loads} AS l JOIN {states} AS s ON s._dlt_load_id = l.load_id
WHERE l.status = 0 AND s.pipeline_name = %s"""
OLD_STATES = "DELETE FROM {states} WHERE pipeline_name = %s AND _dlt_load_id < %s"
SCHEMA_THERE = "SELECT 1 FROM information_schema.schemata WHERE schema_name = %s"
URL_SCHEME = re.compile(r"(?:^|/)([A-Za-z][A-Za-z0-9+.-]*)://")
# SQL dialects that reports are translated into without having been tried there
UNTRIED_DIALECTS = {
    "motherduck": "duckdb", "snowflake": "snowflake", "bigquery": "bigquery",
    "redshift": "redshift", "databricks": "databricks", "clickhouse": "clickhouse",
}  # fmt: skip


class Capabilities(NamedTuple):
    """What a destination keeps besides the merge; docs/destinations.md has the same as a table.

    `tried`: loaded into, with whole rows compared. `stale_row_filter`: no older version of an order
    replaces a newer one. `lock`: runs are kept apart, also those of two machines. `repair`: dropped
    tables and columns are made again. `reports`: there are views. `publish`: copies can be made.
    """

    tried: bool = False
    stale_row_filter: bool = False
    lock: bool = False
    repair: bool = False
    reports: bool = False
    publish: bool = False


@dataclass(frozen=True)
class Destination:
    """One dataset of one destination, and how that destination is used.

    `kind` is dlt's name for the type of destination, or of the database behind its `sqlalchemy`.
    `location` is where the data lies (a file, a server and its database), `description` the same
    in words, without credentials. `dataset` is the name at the destination, as dlt normalised it,
    and `asked_for` the one that was given. `probe` is a pipeline without a working folder, good
    for clients only. `shard` is the part of the space that is loaded, None for all of it: parts
    share the tables, and nothing else. `by_default` says that dlt's settings alone led here.
    """

    kind: str
    location: str
    description: str
    dataset: str
    asked_for: str
    probe: dlt.Pipeline
    shard: Shard | None = None
    by_default: bool = False

    capabilities: ClassVar[Capabilities] = Capabilities()
    # our subclass of dlt's factory; None: dlt's own
    own_factory: ClassVar[Any] = None
    # sqlglot's name of the SQL dialect, in which reports are written; None: UNTRIED_DIALECTS
    sql_dialect: ClassVar[str | None] = None
    # datasets that the database keeps for itself, in lower case, and how such names begin
    reserved_datasets: ClassVar[frozenset[str]] = frozenset()
    reserved_prefix: ClassVar[str | None] = None
    # what URLs of its credentials begin with (none: not checked), and what to write instead
    url_schemes: ClassVar[tuple[str, ...]] = ()
    expected_credentials: ClassVar[str] = ""
    # why several processes cannot load shards at a time; empty if they can
    no_shards: ClassVar[str] = (
        "nothing keeps the shards apart on {kind}; run without --shard, or load into"
        " --destination postgres"
    )
    # whether views can have comments, which programs show beside columns
    comments_on_views: ClassVar[bool] = False
    # what makes a connection read-only, and whether those that `opened` gives are without it
    read_only_statement: ClassVar[str | None] = None
    opens_read_only: ClassVar[bool] = False
    # whether to open a connection takes long, so that all clients share one
    shares_connection: ClassVar[bool] = False

    # --- what settings lead to; nothing is opened yet

    @classmethod
    def factory(cls, configured: Any) -> Any:
        """dlt's factory to load with, made from the `configured` one."""
        if cls.own_factory is None:
            return configured
        return cls.own_factory(**configured.config_params, **configured.caps_params)

    @classmethod
    def locate(cls, config: Any) -> tuple[str, str]:
        """Where dlt's resolved `config` leads: the location, and its description."""
        return config.data_location() or "", str(config)

    @classmethod
    def check_credentials(cls, kind: str, credentials: Any) -> None:
        """Refuses resolved credentials, or a text, that are for another kind of database.

        Raises:
            ConfigurationError: they are. The message repeats nothing but the URL's scheme.
        """
        if isinstance(credentials, str):
            found = URL_SCHEME.match(credentials)
            scheme = found[1] if found else ""
        else:
            scheme = getattr(credentials, "drivername", None) or ""
        if cls.url_schemes and scheme and scheme.lower() not in cls.url_schemes:
            raise ConfigurationError(
                f"destination.{kind}.credentials is a URL of another kind ({scheme}:…); expected is"
                f" {cls.expected_credentials}. To load elsewhere, choose with --destination"
            )

    @classmethod
    def check_dataset(
        cls, kind: str, dataset: str, capabilities: DestinationCapabilitiesContext
    ) -> None:
        """Refuses a dataset, as dlt normalised it, that loads would fail on.

        Raises:
            ConfigurationError: the name is reserved, or too long for the schema of its reports.
        """
        prefix = cls.reserved_prefix
        if dataset.casefold() in cls.reserved_datasets or (prefix and dataset.startswith(prefix)):
            raise ConfigurationError(
                f"dataset {dataset}: {kind} keeps that name for itself; name another with --dataset"
            )
        reports, most = reports_dataset(dataset), capabilities.max_identifier_length
        if len(reports.encode()) > most:
            raise ConfigurationError(
                f"dataset {dataset}: the name of its reports, {reports}, is longer than the {most}"
                f" characters that {kind} takes; name another with --dataset"
            )

    # --- where the data and the working folder are

    @property
    def credentials(self) -> Any:
        """The resolved credentials, which all connections of this process share."""
        return self.probe.destination.config_params["credentials"]

    @property
    def file(self) -> Path | None:
        """The file that holds the tables; None on a server."""
        return None

    @property
    def pipeline_name(self) -> str:
        """dlt's name for the pipeline, under which it keeps the state: one for each shard."""
        if self.shard is None:
            return PIPELINE_NAME
        return f"{PIPELINE_NAME}_{self.shard.part}_of_{self.shard.of}"

    @property
    def pipelines_dir(self) -> Path:
        """The folder of dlt's working folder for this destination and dataset, and no other.

        dlt keeps one working folder per pipeline name. What an interrupted run left there for one
        database must never be loaded into another.
        """
        identity = f"{self.kind} {self.location} {self.dataset}"
        digest = hashlib.blake2b(identity.encode(), digest_size=5).hexdigest()
        return Path(get_dlt_pipelines_dir()) / f"{PIPELINE_NAME}-{digest}"

    def open_pipeline(self, progress: Any = None) -> dlt.Pipeline:
        """The pipeline that loads here. Two processes must not have it open at the same time."""
        pipeline: dlt.Pipeline = dlt.pipeline(
            self.pipeline_name,
            pipelines_dir=str(self.pipelines_dir),
            progress=progress,
            destination=self.probe.destination,
            dataset_name=self.dataset,
        )
        return pipeline

    # --- what is promised

    def require_loadable(self) -> None:
        """Refuses a destination where rows would be added instead of merged; opens nothing.

        Raises:
            ConfigurationError: it is such a one.
            DamagedDatabase: the file is not a database.
        """
        client = self.probe.destination_client()
        capabilities = client.capabilities
        strategies = capabilities.supported_merge_strategies or ()
        if select := capabilities.merge_strategies_selector:
            strategies = select(strategies, table_schema={"name": ORDERS.name, "columns": {}})
        if STRATEGY not in strategies or not isinstance(client, SqlJobClientBase):
            raise ConfigurationError(UNLOADABLE.format(kind=self.kind))

    def caveats(self) -> list[str]:
        """What is not kept here: what that means, and what to do, in sentences."""
        kept, sentences = self.capabilities, []
        if not kept.tried:
            sentences.append(
                f"{self.kind} was never tried with this program: compare what is loaded with the"
                f" API before you rely on it ({DOCUMENTED})"
            )
        if not kept.lock:
            sentences.append(UNLOCKED.format(f"on {self.kind}"))
        if kept.tried and not kept.reports:
            sentences.append(
                f"there are no reports on {self.kind}: ask the tables with signalwire-orders query"
            )
        return sentences

    # --- loading

    def configure_load(self) -> None:
        """Sets what connections of a load need. The user's own settings go first."""

    def check_server(self) -> None:
        """Checks that the server can be loaded into exactly; opens a connection if it has to.

        Raises:
            ConfigurationError: the text says what is wrong, and what to do.
        """

    def prepare_source(self, source: DltSource) -> None:
        """Puts on the source what the load needs to know: which staged rows are merged."""
        filter_stale_rows(source, self.probe)

    def lock(self) -> Lock:
        """What keeps other runs out of this dataset; here only those of the same machine."""
        self.pipelines_dir.mkdir(parents=True, exist_ok=True)
        return FileLock(self.pipelines_dir / "run.lock")

    def shared_connection(self) -> AbstractContextManager[Any]:
        """Keeps one connection open for all clients, where opening is what takes time.

        It can keep other programs out, so the API is never read while it is open.
        """
        return self.probe.sql_client() if self.shares_connection else nullcontext()  # type: ignore[return-value]  # dlt's types are too narrow

    def prepare_tables(self, pipeline: dlt.Pipeline, lock: Lock) -> None:
        """Makes what a load needs beside dlt's own steps. The lock has to be held."""

    def load(self, pipeline: dlt.Pipeline) -> Any:
        """Loads what is normalised; dlt's load info, or None if there was nothing to load."""
        return pipeline.load()

    def drop_old_states(self, pipeline: dlt.Pipeline) -> None:
        """Drops states of this pipeline that a later one has replaced: each holds all cursors.

        dlt keeps them all, and reads the one of the latest load that is complete.
        """
        name = pipeline.pipeline_name
        with pipeline.sql_client() as client:
            states, loads = map(client.make_qualified_table_name, (STATES, LOADS))
            newest = client.execute_sql(NEWEST_STATE.format(states=states, loads=loads), name)
            if newest and newest[0][0] is not None:
                client.execute_sql(OLD_STATES.format(states=states), name, newest[0][0])

    def blames_destination(self, error: BaseException) -> bool:
        """Whether an error is the destination's, so that the same load may work another time."""
        return isinstance(error, DatabaseTransientException | DestinationConnectionError)

    def shard_condition(self, column: str) -> str:  # noqa: ARG002 - all of it is loaded
        """The condition in SQL that `Shard.holds` is in Python, for a column of brand ids."""
        return "1 = 1"

    def sql_time(self, moment: datetime) -> Any:
        """A moment as the destination compares it with its columns."""
        return moment

    def repair_times(self, client: Any, horizon: datetime, now: datetime) -> None:
        """Sets all times later than `horizon` to `now`. The run's lock has to be held."""
        tables = clock_repair.TABLES
        latest, present = self.sql_time(horizon), self.sql_time(now)
        names = {n: client.make_qualified_table_name(n) for n in (*tables, *clock_repair.OF_DLT)}
        client.execute_sql(clock_repair.STATES.format(**names), f"{horizon.timestamp():.0f}")
        client.execute_sql(clock_repair.SCHEMAS.format(**names), present, latest)
        columns = {table: columns_there(client, names[table]) for table in tables}
        for sql, values in clock_repair.changes(columns, self.shard_condition, latest, present):
            client.execute_sql(sql.format(**names), *values)

    # --- reading

    def require_file(self) -> None:
        """Checks that the database is there, if it is a file: to open it would make an empty one.

        Raises:
            NothingLoaded: it is not there.
            DamagedDatabase: something else is.
        """
        if self.file is not None and not self.file.exists():
            raise NothingLoaded(
                f"nothing is loaded yet: there is no database {self.file}."
                " Load the orders with: signalwire-orders run"
            )

    def require_data(self) -> None:
        """Checks that there is a table of orders, so that no copy is made of nothing.

        Raises:
            NothingLoaded: there is none.
        """
        with self.opened() as client:
            table = client.make_qualified_table_name(ORDERS.name)
            if not columns_there(client, table):
                raise NothingLoaded(
                    f"nothing is loaded into {self.description}, dataset {self.dataset}, yet."
                    " Load the orders with: signalwire-orders run"
                )

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """An SQL client of dlt's that can only read, where a connection can be made so.

        Raises:
            NothingLoaded: the destination is a file that is not there. None is made.
            DamagedDatabase: something else is.
        """
        self.require_file()
        with self.probe.sql_client() as client:
            if self.read_only_statement:
                client.execute_sql(self.read_only_statement)
            yield client

    def check_query(self, sql: str) -> None:
        """Refuses a user's statement that could write, where the destination would not refuse it.

        Raises:
            ConfigurationError: it could.
        """
        if not (self.read_only_statement or self.opens_read_only):
            require_reading(sql, self.dialect)

    def begin_snapshot(self, client: Any) -> None:
        """Has a transaction that has just begun see the same data until it ends."""

    def in_little_memory(self, client: Any, step: Callable[[], T]) -> T:  # noqa: ARG002
        """Takes a step that only reads, in as little memory as the destination can."""
        return step()

    def stream(self, client: Any, query: str, schema: pa.Schema) -> Iterator[pa.Table]:
        """The rows of a query in parts."""
        with client.execute_query(query) as cursor:
            yield from tables_of(cursor, schema)

    def copy_tables(self, client: Any, tables: Mapping[str, list[str]], database: Path) -> None:
        """Writes columns of tables to a new DuckDB file, as one transaction sees them.

        They are in a schema of the dataset's name. The client has an open connection.
        """
        from pipelines.destinations.copy_file import insert, opened_copy, transaction  # to publish

        with opened_copy(database) as copy, client.begin_transaction(), transaction(copy):
            self.begin_snapshot(client)
            copy.execute(f"CREATE SCHEMA IF NOT EXISTS {quoted(self.dataset)}")
            for table, names in tables.items():
                schema = arrow_schema(table, names)
                name = f'{quoted(self.dataset)}."{table}"'
                insert(copy, f"CREATE TABLE {name} AS", schema.empty_table())
                for rows in self.stream(client, select(table, names), schema):
                    insert(copy, f"INSERT INTO {name}", rows)

    # --- reports

    @property
    def dialect(self) -> str | None:
        """sqlglot's name of the SQL dialect; None if no reports can be made here."""
        return self.sql_dialect or UNTRIED_DIALECTS.get(self.kind)

    def schemas(self, client: Any) -> Schemas:
        """The schemas of tables and reports, as statements write them."""
        names = self.dataset, reports_dataset(self.dataset)
        return Schemas(*(quoted(folded(client, name)) for name in names))

    def create_schema(self, client: Any, name: str, schema: str) -> None:  # noqa: ARG002
        """Makes a schema if it is not there: `name`, which statements write as `schema`."""
        client.execute_sql(f"CREATE SCHEMA IF NOT EXISTS {schema}")

    def keep_views(self, client: Any, views: Mapping[str, str]) -> None:
        """Keeps what was just created, by name, where views do not outlive their connection."""
