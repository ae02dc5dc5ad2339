"""What the reports on promises and periods have to say, computed without any SQL.

A promise is written here as the setting has it; which one counts is found by trying all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import numpy as np
from scipy import stats

Row = dict[str, Any]
Setting = dict[str, Any]
BEFORE = ("orders", "median_hours_all", "p90_hours_all", "share_within_target")
NOW_HOURS, ALL_HOURS = 28 * 24, 112 * 24


def promised(order: Row, settings: list[Setting], main: float) -> tuple[str | None, float | None]:
    """The name and the hours of the promise that counts for a row of order_processing."""
    if order["created_day"] is None:
        return None, None
    holding = [
        (
            4 * ("campaign" in s) + 2 * ("brand" in s) + ("use_case" in s),
            s.get("since", date.min),
            s["name"],
            s["hours"],
        )
        for s in [{"hours": main, "name": "all orders", "since": date.min}, *settings]
        if s.get("since", date.min) <= order["created_day"]
        and s.get("campaign", order["campaign_id"]) == order["campaign_id"]
        and s.get("brand", order["brand_id"]) == order["brand_id"]
        and s.get("use_case", order["use_case"]).lower() == order["use_case"].lower()
    ]
    _, _, name, hours = max(holding)
    return name, float(hours)


def sla_attainment(orders: list[Row]) -> list[Row]:
    groups: defaultdict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for order in orders:
        if order["created_month"]:
            key = (order["promise"], order["promised_hours"], order["created_month"])
            groups[key].append(order)
    rows = {}
    for (promise, hours, month), found in groups.items():
        told = [o["within_target"] for o in found if o["within_target"] is not None]
        rows[promise, hours, month] = {
            "promise": promise,
            "promised_hours": hours,
            "created_month": month,
            "orders": len(told),
            "within": told.count(True),
            "missed": told.count(False),
            "not_yet": sum(o["observed_hours"] is not None for o in found) - len(told),
            "share_within": told.count(True) / len(told) if told else None,
        }
    for (promise, hours, month), row in rows.items():
        before = rows.get((promise, hours, month_before(month)), {})
        row["share_within_before"] = before.get("share_within")
    return list(rows.values())


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def with_before(rows: list[Row], key: tuple[str, ...], period: str) -> list[Row]:
    """The rows of a report by period, with measures of the period before."""
    step: Callable[[date], date] = (
        month_before if period == "created_month" else lambda day: day - timedelta(days=7)
    )
    found = {(*(row[name] for name in key), row[period]): row for row in rows}
    for *names, day in found:
        before = found.get((*names, step(day)), {}) if day else {}
        found[(*names, day)] |= {f"{measure}_before": before.get(measure) for measure in BEFORE}
    return list(found.values())


def slower(orders: list[Row], age: Callable[[Row], float]) -> list[Row]:
    """The rows of slower_than_before; `age` is how many hours ago an order was created."""
    by_campaign: defaultdict[str, list[Row]] = defaultdict(list)
    for order in orders:
        known = order["created_day"] and order["observed_hours"] is not None
        if known and order["status"] != "deleted" and 0 <= age(order) <= ALL_HOURS:
            by_campaign[order["campaign_id"]].append(order)
    tests: list[Row] = []
    comparisons = 0
    for found in by_campaign.values():
        for measure, percent, least in (("median", 50, 20), ("p90", 90, 50)):
            row, compared = _compared(found, age, measure, percent, least)
            comparisons += compared
            tests += [row] if row else []
    tests.sort(key=lambda r: (r["chance"], r["campaign_id"], r["measure"]))
    last = max(
        (n for n, row in enumerate(tests, 1) if row["chance"] <= 0.05 * n / comparisons), default=0
    )
    return tests[:last]


def _compared(
    found: list[Row], age: Callable[[Row], float], measure: str, percent: int, least: int
) -> tuple[Row | None, bool]:
    """A test's row where the share rose, and whether there was anything to compare."""
    earlier = [o["observed_hours"] for o in found if age(o) > NOW_HOURS]
    if not earlier:
        return None, False
    limit = float(np.percentile(earlier, percent))
    judged = [o for o in found if age(o) > limit]
    parts = [[o for o in judged if (age(o) <= NOW_HOURS) == is_now] for is_now in (False, True)]
    days = [len({o["created_day"] for o in part}) for part in parts]
    if min(map(len, parts)) < least or min(days) < 10:
        return None, False
    share_of_both = np.mean([o["observed_hours"] > limit for o in judged])
    if share_of_both in (0, 1):
        return None, False
    shares, variances = [], []
    for part, count in zip(parts, days, strict=True):
        share = np.mean([o["observed_hours"] > limit for o in part])
        scatter = 0.0
        for day in {o["created_day"] for o in part}:
            here = [o["observed_hours"] > limit for o in part if o["created_day"] == day]
            scatter += (sum(here) - share * len(here)) ** 2
        shares.append(share)
        variances.append(
            max(
                count / (count - 1) * scatter / len(part) ** 2,
                share_of_both * (1 - share_of_both) / len(part),
            )
        )
    t = (shares[1] - shares[0]) / sum(variances) ** 0.5
    if t <= 0:
        return None, True
    freedom = sum(variances) ** 2 / sum(
        v**2 / (d - 1) for v, d in zip(variances, days, strict=True)
    )
    last = found[-1]
    row = {
        **{name: last[name] for name in ("campaign_id", "campaign_name", "use_case")},
        **{name: max(o[name] for o in judged) for name in ("brand_id", "brand_name")},
        "measure": measure,
        "hours_before": limit,
        "hours_now": float(np.percentile([o["observed_hours"] for o in parts[1]], percent)),
        "share_slower_before": shares[0],
        "share_slower_now": shares[1],
        "orders_before": len(parts[0]),
        "orders_now": len(parts[1]),
        "worse_since": _turn(judged, limit, share_of_both),
        "chance": float(stats.t.sf(t, freedom)),
    }
    return row, True


def _turn(judged: list[Row], limit: float, share: float) -> date | None:
    """The week after the one where the sum beyond the mean share is lowest."""
    weeks = sorted({o["created_week"] for o in judged})
    sums, total = [], 0.0
    for week in weeks:
        here = [o["observed_hours"] > limit for o in judged if o["created_week"] == week]
        total += sum(here) - share * len(here)
        sums.append(total)
    place = int(np.argmin(sums)) + 1
    return weeks[place] if place < len(weeks) else None
