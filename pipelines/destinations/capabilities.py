"""What each kind of destination keeps of what the project promises; the rest is said, not hidden.

docs/destinations.md has the same as a table, with how each was tried.
"""

from __future__ import annotations

from typing import NamedTuple

from dlt.destinations.job_client_impl import SqlJobClientBase

from pipelines.destinations.resolve import Target
from sources.signalwire.errors import ConfigurationError
from sources.signalwire.records.schema import ORDERS

# the only strategy that deletes and inserts in one transaction, and that a guard can be put on
STRATEGY = "delete-insert"
WHERE = "docs/destinations.md"


class Guarantees(NamedTuple):
    """What a kind of destination keeps, besides the merge, without which there is no run.

    `tried`: it was loaded into, with whole rows compared. `guard`: no older version of an order
    replaces a newer one. `lock`: runs are kept apart, also those of two machines. `repair`: dropped
    tables are made anew. `reports`: there are views. `publish`: copies can be made of it.
    """

    tried: bool = False
    guard: bool = False
    lock: bool = False
    repair: bool = False
    reports: bool = False
    publish: bool = False


UNTRIED = Guarantees()
KEPT = {
    "duckdb": Guarantees(
        tried=True, guard=True, lock=True, repair=True, reports=True, publish=True
    ),
    "postgres": Guarantees(
        tried=True, guard=True, lock=True, repair=True, reports=True, publish=True
    ),
    "sqlite": Guarantees(tried=True, guard=True, lock=True, repair=True),
    "ducklake": Guarantees(tried=True, guard=True, repair=True, reports=True),
}


def kept_by(kind: str) -> Guarantees:
    """What a kind of destination keeps; of one that was not tried nothing is promised."""
    return KEPT.get(kind, UNTRIED)


def kinds_with(guarantee: str) -> list[str]:
    """The kinds of destinations that keep one of the guarantees, by its name."""
    return [kind for kind, kept in KEPT.items() if getattr(kept, guarantee)]


def require_merge(target: Target) -> None:
    """Refuses a destination where rows would be added instead of merged.

    Raises:
        ConfigurationError: it is such a one; nothing has been read or written.
    """
    if target.kind in KEPT:
        return
    client = target.probe.destination_client()
    capabilities = client.capabilities
    strategies = capabilities.supported_merge_strategies or ()
    if select := capabilities.merge_strategies_selector:
        strategies = select(strategies, table_schema={"name": ORDERS.name, "columns": {}})
    if STRATEGY not in strategies or not isinstance(client, SqlJobClientBase):
        raise ConfigurationError(
            f"{target.kind} cannot be loaded into: dlt cannot replace rows there under the"
            " condition that what is there is older, so that orders would be there twice or"
            f" outdated. Load into {' or '.join(kinds_with('lock'))} instead ({WHERE})"
        )


def caveats(kind: str) -> list[str]:
    """What a kind of destination does not keep: what that means, and what to do, in sentences."""
    kept = kept_by(kind)
    if not kept.tried:
        return [
            f"{kind} was never tried with this program: compare what is loaded with the API before"
            f" you rely on it ({WHERE})",
            _without_lock(kind),
        ]
    sentences = []
    if not kept.lock:
        sentences.append(_without_lock(kind))
    if not kept.reports:
        sentences.append(
            f"there are no reports on {kind}: ask the tables with signalwire-orders query"
        )
    return sentences


def _without_lock(kind: str) -> str:
    return (
        f"on {kind} nothing keeps the runs of two machines apart, and two at once can lose rows:"
        " schedule them on one machine only"
    )
