"""What the tasks of `dags/signalwire_orders.py` do.

The tasks import this when they run, not while the DAG is parsed, because it imports dlt. Errors
become one sentence. One that a retry cannot fix, such as refused credentials, fails its task at
once; all others are retried, another run into the same place among them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

# dlt would ask Airflow for a variable for each of its settings, some 900 times a run, each time
# over the network. Set it to true to keep settings in Airflow variables.
os.environ.setdefault("PROVIDERS__ENABLE_AIRFLOW_SECRETS", "false")

import dlt
from airflow.sdk import Connection
from airflow.sdk.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSkipException,
)

from pipelines.destinations.resolve import find_target
from pipelines.errors import WRONG_USAGE
from pipelines.errors.explain import causes_of, explain
from pipelines.loading.notify.delivery import require_urls
from pipelines.loading.notify.triggers import notified_run, notify_findings
from pipelines.reporting import views
from pipelines.reporting.health import judged, probe_destination
from pipelines.reporting.limits import configured_limits, with_options
from pipelines.signalwire_orders import run
from sources.printable import printable
from sources.signalwire.errors import AccessDenied, ConfigurationError

logger = logging.getLogger(__name__)

CONNECTION = "signalwire"
EVERYTHING = "1/1"
SHOWN_FAILURES = 50


def shards(params: Mapping[str, Any]) -> list[str]:
    """The shards to load, such as 1/2 and 2/2; chosen campaigns are not split."""
    count = 1 if params["campaigns"] else params["shards"]
    return [f"{number}/{count}" for number in range(1, count + 1)]


def load(shard: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Loads what is new or changed in one shard; returns what `run --json` prints.

    Raises:
        AirflowFailException: credentials or a setting cannot work.
        AirflowException: it failed otherwise, or another run is loading into the same place.
    """
    part = None if shard == EVERYTHING else shard
    limits = {"campaign": params["campaigns"]}
    with _in_words(), notified_run(params["destination"], None, part, limits) as notify:
        require_urls()
        # what is not chosen comes from dlt's configuration
        chosen: dict[str, Any] = {"full": True} if params["full"] else {}
        if params["campaigns"]:
            chosen["campaign_ids"] = list(params["campaigns"])
        result = run(destination=params["destination"], shard=part, **_credentials(), **chosen)
        notify(result, ())
        logger.info("%s", printable(result.summary(), lines=True))
        return result.as_dict()


def apply_reports(loaded: Sequence[Mapping[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Creates the views where they are missing; returns the extra of the asset's event.

    Raises:
        AirflowFailException: a setting cannot work.
        AirflowException: a view could not be created.
    """
    results = loaded[:]  # all in one request; iterating would be one for each, and an error line
    with _in_words():
        target = find_target(params["destination"])
        if target.capabilities.reports and dlt.config.get("reports.apply", bool):
            views.apply_reports(target)
    return {
        "orders_loaded": sum(result["orders_loaded"] for result in results),
        "run_ids": [result["run_id"] for result in results],
        "complete": len(results) == len(shards(params)) and all(r["complete"] for r in results),
    }


def check_freshness(params: Mapping[str, Any], max_age: timedelta) -> None:
    """Checks the age of the data, and the limits of the settings `[checks]`.

    Args:
        params: The DAG run's.
        max_age: The age above which it fails, unless the settings have another one.

    Raises:
        AirflowFailException: a limit is exceeded, or a setting cannot work.
        AirflowException: the destination cannot be queried.
        AirflowSkipException: the run was limited to some campaigns, which says nothing of the rest.
    """
    if params["campaigns"]:
        raise AirflowSkipException(
            "the run read some campaigns only: the age of the rest is not known"
        )
    with _in_words():
        target = find_target(params["destination"])
        limits = configured_limits()
        if limits[0].max_age is None:
            limits = with_options(limits, max_age=max_age.total_seconds())
        findings = [*probe_destination(target, limits)]
        notify_findings(target, judged(findings, limits))
        for found in findings:
            logger.info("%s: %s", found.what, found.words)
        if bad := [found for found in findings if not found.ok]:
            # the destination may answer the next time, what it said will stay so
            retried = any(found.what == "destination" for found in bad)
            failure = AirflowException if retried else AirflowFailException
            raise failure("\n".join(f"{found.what}: {found.words}" for found in bad))


def everything_read(loaded: Sequence[Mapping[str, Any]]) -> None:
    """Checks that everything that was asked for could be read.

    Raises:
        AirflowFailException: some lists could not be read; it names them.
    """
    failures = [printable(failure) for result in loaded[:] for failure in result["failures"]]
    if not failures:
        return
    lines = [f"{len(failures):,} of the lists could not be read:", *failures[:SHOWN_FAILURES]]
    if len(failures) > SHOWN_FAILURES:
        lines.append(f"and {len(failures) - SHOWN_FAILURES:,} more")
    lines.append("they are in the table campaign_failures; the next run retries them")
    raise AirflowFailException("\n".join(lines))


def _credentials() -> dict[str, Any]:
    """The credentials of the connection; empty without one, and dlt's configuration applies."""
    try:
        connection = Connection.get(CONNECTION)
    except AirflowNotFoundException:
        logger.info("no connection %s: taking the credentials from dlt's settings", CONNECTION)
        return {}
    logger.info("taking the credentials from the connection %s", CONNECTION)
    host = connection.host and (
        f"{connection.host}:{connection.port}" if connection.port else connection.host
    )
    fields = {
        "host (the space)": ("space", host),
        "login (the project's id)": ("project_id", connection.login),
        "password (an API token)": ("api_token", connection.password),
    }
    if missing := [field for field, (_, value) in fields.items() if not value]:
        raise ConfigurationError(f"the connection {CONNECTION} has no {', no '.join(missing)}")
    return dict(fields.values())


@contextmanager
def _in_words() -> Iterator[None]:
    """Turns errors into the sentences that the command line prints, and fails for good or not."""
    try:
        yield
    except AirflowException:
        raise
    except (Exception, KeyboardInterrupt) as error:
        words, code = explain(error)
        if code == WRONG_USAGE or any(isinstance(c, AccessDenied) for c in causes_of(error)):
            raise AirflowFailException(words) from None
        if code > 128:  # interrupted: the traceback says nothing
            raise AirflowException(words) from None
        raise AirflowException(words) from error
