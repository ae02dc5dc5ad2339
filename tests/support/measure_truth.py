"""What the measures of a group of orders are, computed without any SQL.

Percentiles are numpy's, the survival curve is SciPy's, its quantiles come from fractions.
"""

from __future__ import annotations

import warnings
from collections import defaultdict
from fractions import Fraction
from typing import Any

import numpy as np
from scipy.stats import CensoredData, ecdf

Row = dict[str, Any]


def measures(orders: list[Row]) -> Row:
    """The measures of a group of rows of order_processing."""
    took = [o["processing_hours"] for o in orders if o["processing_hours"] is not None]
    observed = [o for o in orders if o["observed_hours"] is not None]
    decided = [o["within_target"] for o in orders if o["within_target"] is not None]
    count = {s: sum(o["status"] == s for o in orders) for s in ("processed", "open", "failed")}
    percentile = {p: float(np.percentile(took, p)) if took else None for p in (50, 75, 90, 95, 99)}
    censored = sum(o["status"] != "processed" for o in observed)
    return {
        "orders": len(orders),
        **count,
        "deleted": len(orders) - sum(count.values()),
        "median_hours": percentile[50],
        "p75_hours": percentile[75],
        "p90_hours": percentile[90],
        "p95_hours": percentile[95],
        "p99_hours": percentile[99],
        "mean_hours": float(np.mean(took)) if took else None,
        "max_hours": max(took, default=None),
        "median_hours_all": survival_quantile(observed, Fraction(1, 2)),
        "p90_hours_all": survival_quantile(observed, Fraction(1, 10)),
        "share_censored": censored / len(observed) if observed else None,
        "share_within_target": sum(decided) / len(decided) if decided else None,
    }


def survival_quantile(observed: list[Row], share: Fraction) -> float | None:
    """The first time at which no more than that share is still waiting."""
    waiting = Fraction(1)
    for moment in sorted({o["observed_hours"] for o in observed}):
        at_risk = sum(o["observed_hours"] >= moment for o in observed)
        done = sum(o["observed_hours"] == moment and o["status"] == "processed" for o in observed)
        waiting *= 1 - Fraction(done, at_risk)
        if waiting <= share:
            return float(moment)
    return None


def grouped(orders: list[Row], keys: tuple[str, ...], labels: tuple[str, ...] = ()) -> list[Row]:
    """The measures of each group, with its keys and labels."""
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for order in orders:
        groups[tuple(order[key] for key in keys)].append(order)
    return [
        dict(zip(keys, key, strict=True))
        | {label: max(o[label] for o in group) for label in labels}
        | measures(group)
        for key, group in groups.items()
    ]


def survival(orders: list[Row]) -> list[Row]:
    """The curve, from SciPy."""
    observed = [o for o in orders if o["observed_hours"] is not None]
    if not observed:
        return []
    hours = np.array([o["observed_hours"] for o in observed], float)
    done = np.array([o["status"] == "processed" for o in observed])
    curve = ecdf(CensoredData.right_censored(hours, ~done)).sf
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        # it says that there is no band where the share is 0 or 1
        warnings.simplefilter("ignore", RuntimeWarning)
        bounds = curve.confidence_interval(method="log-log")
    rows = []
    for moment in sorted(set(hours.tolist())):
        share = float(curve.evaluate(moment))
        lower, upper = (float(b.evaluate(moment)) for b in (bounds.low, bounds.high))
        band = share not in (0.0, 1.0)
        rows.append(
            {
                "hours": moment,
                "at_risk": int((hours >= moment).sum()),
                "processed": int((done & (hours == moment)).sum()),
                "censored": int((~done & (hours == moment)).sum()),
                "share_waiting": share,
                "lower": lower if band else None,
                "upper": upper if band else None,
            }
        )
    return rows


def thinned(curve: list[Row]) -> list[Row]:
    """The first row of each thousandth of the share that is waiting, and the last row of all."""
    seen, rows = set(), []
    for row in curve:
        thousandth = int(row["share_waiting"] * 1000 + 1e-9)
        if thousandth not in seen or row is curve[-1]:
            rows.append({k: v for k, v in row.items() if k not in ("processed", "censored")})
        seen.add(thousandth)
    return rows
