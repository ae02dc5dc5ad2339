"""Loads SignalWire's 10DLC number assignment orders, hour by hour.

`shards` lists the shards of the space, `load` reads and loads each of them, `apply_reports` creates
the views and updates the asset `signalwire_orders`, and `check_freshness` fails when the data is
old. `everything_read` fails when some lists could not be read: the rest is loaded, and the next run
retries those lists.

The credentials are the connection `signalwire` (host: the space, login: the project's id, password:
an API token) or, without one, dlt's own settings. More: docs/airflow.md of the project.
"""

from datetime import datetime, timedelta, timezone

from airflow.sdk import Asset, Param, TriggerRule, dag, task

ORDERS = Asset("signalwire_orders")


@dag(
    schedule="@hourly",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,
    # a second run would fail on the first one's lock, and be retried
    max_active_runs=1,
    default_args={
        "owner": "signalwire-orders",
        "retries": 4,
        "retry_delay": timedelta(minutes=1),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(minutes=15),
        "execution_timeout": timedelta(minutes=10),
    },
    params={
        "full": Param(
            False, type="boolean", description="Read every campaign to its end and compare it all"
        ),
        "campaigns": Param(
            [],
            type="array",
            items={"type": "string", "minLength": 1},
            description="Ids of the campaigns to read, one a line; none for all",
        ),
        "destination": Param(
            None,
            type=["null", "string"],
            enum=[None, "duckdb", "postgres"],
            description="Where to load to; empty for the destination in dlt's settings",
        ),
        "shards": Param(
            1, type="integer", minimum=1, description="Shards to load concurrently (not on DuckDB)"
        ),
    },
    tags=["signalwire", "10dlc"],
    doc_md=__doc__,
)
def signalwire_orders():
    @task
    def shards(params):
        """Lists the shards to load, such as 1/2 and 2/2."""
        from pipelines.dag_tasks import shards

        return shards(params)

    @task(
        execution_timeout=timedelta(hours=3),
        map_index_template="{{ task.op_kwargs['shard'] }}",
        # Airflow does not take it from the docstring where a task is mapped
        doc_md="Loads what is new or changed in a shard, and returns what the run did.",
    )
    def load(shard, params=None):
        from pipelines.dag_tasks import load

        return load(shard, params)

    @task(outlets=[ORDERS], trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    def apply_reports(loaded, params=None, outlet_events=None):
        """Creates the views where they are missing, and updates the asset."""
        from pipelines.dag_tasks import apply_reports

        outlet_events[ORDERS].extra = apply_reports(loaded, params)

    @task
    def check_freshness(params=None):
        """Fails when the newest complete run is too old."""
        from pipelines.dag_tasks import check_freshness

        check_freshness(params, max_age=timedelta(hours=3))

    @task
    def everything_read(loaded):
        """Fails when lists could not be read, and names them; the rest is loaded."""
        from pipelines.dag_tasks import everything_read

        everything_read(loaded)

    loaded = load.expand(shard=shards())
    apply_reports(loaded) >> check_freshness()
    everything_read(loaded)


signalwire_orders()
