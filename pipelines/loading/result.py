"""What a run did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sources.printable import printable
from sources.signalwire import RunStats

SHOWN_FAILURES = 5


@dataclass(frozen=True)
class RunResult:
    """What a run did, and where the data is. `seconds` is the whole run, loading included.

    `published` is the path of the copy that was published; None without one.
    """

    stats: RunStats
    seconds: float
    destination: str
    dataset: str
    published: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The result as the command line's `--json` prints it."""
        return {
            "run_id": self.stats.run_id,
            "mode": self.stats.mode,
            "complete": self.stats.complete,
            **self.stats.counts(),
            "failures": list(self.stats.failures),
            "seconds": round(self.seconds, 3),
            "destination": self.destination,
            "dataset": self.dataset,
            "published": self.published,
        }

    def summary(self) -> str:
        """What the run did, in a few lines for a person."""
        c = self.stats.counts()
        how = "first load" if self.stats.mode == "backfill" else "incremental"
        lines = [
            f"{c['orders_loaded']:,} orders loaded ({how}) in {self.seconds:.1f} s:"
            f" {c['orders_seen']:,} seen in {c['campaigns_walked']:,} campaigns of"
            f" {c['brands']:,} brands, {c['requests']:,} requests"
            + (f", {c['retries']:,} of them retries" if c["retries"] else ""),
            f"into {self.destination}, dataset {self.dataset}",
        ]
        if c["numbers_seen"]:
            seen, loaded = c["numbers_seen"], c["numbers_loaded"]
            lines.insert(1, f"number assignments: {loaded:,} loaded, {seen:,} seen")
        if self.published:
            lines.append(f"published to {self.published}")
        if c["rejected"]:
            lines.append(f"{c['rejected']:,} records are invalid: see the table rejected")
        if failures := self.stats.failures:
            lines.append(f"NOT COMPLETE: {len(failures):,} lists could not be read:")
            lines += [f"  {printable(reason)}" for reason in failures[:SHOWN_FAILURES]]
            lines.append("they are in the table campaign_failures; the next run retries them")
        return "\n".join(lines)
