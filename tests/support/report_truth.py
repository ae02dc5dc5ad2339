"""What the reports have to say of some tables, computed without any SQL."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np

from support import promise_truth
from support.measure_truth import Row, grouped, measures, survival, thinned

TARGETS = (1.0, 4.0, 24.0, 48.0)
MAIN_TARGET = 24.0
BUCKETS = (
    ("under 1 hour", 0, 1), ("1 to 4 hours", 1, 4), ("4 to 24 hours", 4, 24),
    ("1 to 2 days", 24, 48), ("2 to 7 days", 48, 168), ("7 to 30 days", 168, 720),
    ("over 30 days", 720, 1e9),
)  # fmt: skip
CALENDAR_START = datetime(2019, 1, 1, tzinfo=timezone.utc)
TIMES = ("created_at", "updated_at", "processed_at")
KNOWN_STATES = {"pending", "processing", "processed", "failed"}


def hours(interval: timedelta) -> float:
    return interval / timedelta(seconds=1) / 3600


def likely(moment: datetime | None, now: datetime) -> datetime | None:
    """A time of an order, unless it is one that cannot be."""
    if moment and CALENDAR_START <= moment <= now + timedelta(hours=24):
        return moment
    return None


def processing(
    order: Row,
    campaigns: dict[str, Row],
    brands: dict[str, Row],
    now: datetime,
    promises: list[promise_truth.Setting],
) -> Row:
    """The row of order_processing."""
    created, updated, done = (likely(order[name], now) for name in TIMES)
    gone = order["deleted_at"]
    campaign = campaigns.get(order["campaign_id"], {})
    brand = brands.get(order["brand_id"], {})
    status = (
        "processed"
        if order["state"] == "processed"
        else "deleted"
        if gone
        else "failed"
        if order["state"] == "failed"
        else "open"
    )
    took = waited = None
    if status == "processed" and done and created and done >= created:
        took = hours(done - created)
    if status != "processed" and created:
        waited = max(0.0, hours((gone if status == "deleted" else now) - created))
    left = {
        "processed": done or updated or created,
        "failed": updated or created,
        "deleted": gone,
        "open": None,
    }[status]
    if left:
        left = min(max(left, created or left), now)
    observed = took if took is not None else waited
    row = {
        "order_id": order["id"],
        "campaign_id": order["campaign_id"],
        "campaign_name": campaign.get("name") or order["campaign_id"],
        "brand_id": order["brand_id"],
        "brand_name": brand.get("name") or order["brand_id"],
        "use_case": campaign.get("sms_use_case") or "(none)",
        "state": order["state"],
        "status": status,
        **{name: order[name] for name in TIMES},
        "left_at": left,
        "processing_hours": took,
        "age_hours": waited if status == "open" else None,
        "observed_hours": observed,
        "created_day": created and created.date(),
        "created_week": created and created.date() - timedelta(days=created.weekday()),
        "created_month": created and created.date().replace(day=1),
        "created_weekday": created and created.isoweekday(),
        "created_hour": created and created.hour,
    }
    row["promise"], promised = promise_truth.promised(row, promises, MAIN_TARGET)
    row["promised_hours"] = promised
    row["within_target"] = None
    if took is not None:
        row["within_target"] = took <= promised
    elif waited is not None and waited > promised:
        row["within_target"] = False
    return row


def attainment(orders: list[Row]) -> list[Row]:
    rows = []
    for target in TARGETS:
        took = [o["processing_hours"] for o in orders]
        seen = [o["observed_hours"] for o in orders]
        within = sum(t is not None and t <= target for t in took)
        missed = sum(s is not None and s > target for s in seen)
        told = within + missed
        rows.append(
            {
                "target_hours": target,
                "orders": told,
                "within": within,
                "missed": missed,
                "not_yet": sum(s is not None for s in seen) - told,
                "share_within": within / told if told else None,
            }
        )
    return rows


def backlog(orders: list[Row]) -> list[Row]:
    waiting = [o for o in orders if o["status"] == "open"]
    rows = []
    for name, low, high in BUCKETS:
        here = [o for o in waiting if o["age_hours"] is not None and low <= o["age_hours"] < high]
        rows.append(
            {
                "bucket": name,
                "from_hours": float(low),
                "orders": len(here),
                "oldest_created_at": min((o["created_at"] for o in here), default=None),
                "oldest_hours": max((o["age_hours"] for o in here), default=None),
            }
        )
    if unknown := sum(o["age_hours"] is None for o in waiting):
        rows.append(
            {
                "bucket": "not known",
                "from_hours": None,
                "orders": unknown,
                "oldest_created_at": None,
                "oldest_hours": None,
            }
        )
    return rows


def backlog_by_day(orders: list[Row], now: datetime) -> list[Row]:
    dated = [o for o in orders if o["created_day"]]
    if not dated:
        return []
    day = min(min(o["created_at"], now) for o in dated).date()
    rows, open_orders = [], 0
    while day <= now.date():
        arrived = sum(min(o["created_at"], now).date() == day for o in dated)
        left = [o["status"] for o in dated if o["left_at"] and o["left_at"].date() == day]
        open_orders += arrived - len(left)
        counts = {status: left.count(status) for status in ("processed", "failed", "deleted")}
        rows.append({"day": day, "arrived": arrived, **counts, "open_at_end": open_orders})
        day += timedelta(days=1)
    return rows


def stuck(orders: list[Row]) -> list[Row]:
    took: defaultdict[str, list[float]] = defaultdict(list)
    for order in orders:
        if order["processing_hours"] is not None:
            took[order["campaign_id"]].append(order["processing_hours"])
    rows = []
    for order in orders:
        times = took[order["campaign_id"]]
        usual = float(np.percentile(times, 95)) if len(times) >= 20 else None
        limit = order["promised_hours"] if usual is None else usual
        if order["age_hours"] is not None and order["age_hours"] > limit:
            names = (
                "order_id", "campaign_id", "campaign_name", "brand_name", "use_case", "state",
                "created_at", "updated_at", "age_hours",
            )  # fmt: skip
            source = "target" if usual is None else "campaign p95"
            rows.append(
                {name: order[name] for name in names} | {"limit_hours": limit, "limit_is": source}
            )
    return rows


def state_durations(changes: list[Row], orders: list[Row], now: datetime) -> list[Row]:
    gone = {order["id"] for order in orders if order["deleted_at"]}
    by_order: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)
    campaign_of = {}
    for change in changes:
        if change["deleted_at"] and change["order_id"] not in gone:
            continue
        state = "deleted" if change["deleted_at"] else change["state"] or "(none)"
        changed, seen_at = change["updated_at"], change["seen_at"]
        known = changed and CALENDAR_START <= changed <= seen_at
        since = change["deleted_at"] or (changed if known else seen_at)
        by_order[change["order_id"]].append((since, change["seen_at"], state))
        campaign_of[change["order_id"]] = change["campaign_id"]
    rows: dict[tuple[str, str], Row] = {}
    for order_id, seen in by_order.items():
        stays: list[tuple[datetime, str]] = []
        for since, _, state in sorted(seen):
            if not stays or stays[-1][1] != state:
                stays.append((since, state))
        for number, (since, state) in enumerate(stays):
            following = stays[number + 1] if number + 1 < len(stays) else None
            row = rows.setdefault(
                (order_id, state),
                {
                    "order_id": order_id,
                    "campaign_id": campaign_of[order_id],
                    "state": state,
                    "times": 0,
                    "hours": 0.0,
                    "is_current": False,
                    "recovered": False,
                },
            )
            row["times"] += 1
            row["hours"] += max(0.0, hours((following[0] if following else now) - since))
            row["is_current"] |= following is None
            row["recovered"] |= state == "failed" and following is not None
    return list(rows.values())


def quality(
    orders: list[Row], world: dict[str, list[Row]], now: datetime | None, useless: int = 0
) -> dict[str, int]:
    """What data_quality counts; `useless` promises are for nothing that is loaded."""
    newest = {run["run_id"] for run in world["runs"] if run["read_at"] == now}
    return {
        "processed without processed_at": count(
            orders, lambda o: o["status"] == "processed" and not o["processed_at"]
        ),
        "processed before they were created": count(
            orders,
            lambda o: (
                o["status"] == "processed"
                and o["processed_at"]
                and o["created_at"]
                and o["processed_at"] < o["created_at"]
            ),
        ),
        "in an unknown state": count(orders, lambda o: o["state"] not in KNOWN_STATES),
        "without created_at or updated_at": count(
            orders, lambda o: not (o["created_at"] and o["updated_at"])
        ),
        "dated in the future": count(
            orders,
            lambda o: any(o[n] and now and o[n] > now for n in TIMES),
        ),
        "dated before 10DLC existed": count(
            orders, lambda o: any(o[n] and o[n] < CALENDAR_START for n in TIMES)
        ),
        "changed before they were created": count(
            orders,
            lambda o: o["created_at"] and o["updated_at"] and o["updated_at"] < o["created_at"],
        ),
        "of a campaign that is not loaded": count(
            orders, lambda o: o["campaign_name"] == o["campaign_id"]
        ),
        "records rejected": len(world["rejected"]),
        "campaigns listed under several brands": len(
            {
                r["record_id"]
                for r in world["rejected"]
                if r["run_id"] in newest
                and r["table_name"] == "campaigns"
                and r["reason"].startswith("listed under more than one brand")
            }
        ),
        "lists the newest run could not read": count(
            world["campaign_failures"], lambda f: f["run_id"] in newest
        ),
        "promises for nothing that is loaded": useless,
        "no complete run": int(now is None),
    }


def count(rows: Iterable[Row], condition: Callable[[Row], Any]) -> int:
    return sum(1 for row in rows if condition(row))


def by_period(orders: list[Row]) -> dict[str, list[Row]]:
    """The reports by week and month."""
    groups: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
        "": ((), ()),
        "campaign_and_": (("campaign_id",), ("campaign_name", "brand_name", "use_case")),
        "brand_and_": (("brand_id",), ("brand_name",)),
    }
    return {
        f"processing_time_by_{name}{unit}": promise_truth.with_before(
            grouped(orders, (*key, f"created_{unit}"), labels), key, f"created_{unit}"
        )
        for name, (key, labels) in groups.items()
        for unit in ("week", "month")
    }


def truth(
    world: dict[str, list[Row]], now: datetime, promises: list[promise_truth.Setting]
) -> dict[str, list[Row]]:
    """Every report's rows, in no order, but for data_quality's texts."""
    campaigns = {row["id"]: row for row in world["campaigns"]}
    brands = {row["id"]: row for row in world["brands"]}
    orders = [processing(o, campaigns, brands, now, promises) for o in world["orders"]]
    return {
        "order_processing": orders,
        "processing_time_summary": [{"as_of": now} | measures(orders)],
        "processing_time_by_campaign": grouped(
            orders, ("campaign_id",), ("campaign_name", "brand_name", "use_case")
        ),
        "processing_time_by_brand": grouped(orders, ("brand_id",), ("brand_name",)),
        "processing_time_by_use_case": grouped(orders, ("use_case",)),
        "processing_time_by_day": grouped(orders, ("created_day",)),
        **by_period(orders),
        "sla_attainment": promise_truth.sla_attainment(orders),
        "slower_than_before": promise_truth.slower(
            orders, lambda order: hours(now - order["created_at"])
        ),
        "processing_time_by_hour_of_week": grouped(orders, ("created_weekday", "created_hour")),
        "processing_time_survival": survival(orders),
        "processing_time_curve": thinned(survival(orders)),
        "target_attainment": attainment(orders),
        "backlog": backlog(orders),
        "backlog_by_day": backlog_by_day(orders, now),
        "stuck_orders": stuck(orders),
        "state_durations": state_durations(world["order_changes"], world["orders"], now),
    }
