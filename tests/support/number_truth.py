"""What the reports on numbers and registrations have to say, computed without any SQL."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from support.measure_truth import Row, survival_quantile
from support.report_truth import CALENDAR_START, hours, likely

LIMIT = 49


def changed_at(change: Row) -> datetime:
    """When a change happened: not before 10DLC, nor after it was read."""
    updated: datetime | None = change["updated_at"]
    seen: datetime = change["seen_at"]
    return updated if updated and CALENDAR_START <= updated <= seen else seen


def history(changes: list[Row], kind: str) -> dict[str, list[Row]]:
    """To each record its changes in order, without those that say that it is deleted."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for change in changes:
        if change["deleted_at"] is None:
            found[change[f"{kind}_id"]].append(change)

    def order(change: Row) -> tuple[Any, ...]:
        # nulls last, as databases sort
        updated, state = change["updated_at"], change["state"]
        return change["seen_at"], updated is None, updated or 0, state is None, state or ""

    return {record: sorted(rows, key=order) for record, rows in found.items()}


def numbers(world: dict[str, list[Row]], now: datetime) -> list[Row]:
    campaigns = {row["id"]: row for row in world["campaigns"]}
    brands = {row["id"]: row for row in world["brands"]}
    histories = history(world["number_assignment_changes"], "number_assignment")
    rows = []
    for number in world["number_assignments"]:
        seen = histories.get(number["id"], [])
        done = min((changed_at(c) for c in seen if c["state"] == "completed"), default=None)
        states = [change["state"] or "(none)" for change in seen]
        retries = sum(a == "failed" != b for a, b in pairwise(states))
        created = likely(number["created_at"], now)
        took = hours(done - created) if done and created and done >= created else None
        waited = None
        if done is None and created:
            waited = max(0.0, hours((number["deleted_at"] or now) - created))
        status = number["state"] if number["state"] in ("completed", "failed") else "waiting"
        campaign = campaigns.get(number["campaign_id"], {})
        brand = brands.get(number["brand_id"], {})
        rows.append(
            {
                "number_assignment_id": number["id"],
                "phone_number": number["phone_number__number"],
                "campaign_id": number["campaign_id"],
                "campaign_name": campaign.get("name") or number["campaign_id"],
                "brand_id": number["brand_id"],
                "brand_name": brand.get("name") or number["brand_id"],
                "use_case": campaign.get("sms_use_case") or "(none)",
                "state": number["state"],
                "status": "deleted" if number["deleted_at"] else status,
                "created_at": number["created_at"],
                "updated_at": number["updated_at"],
                "completed_at": done,
                "hours_to_usable": took,
                "waiting_hours": waited,
                "observed_hours": waited if took is None else took,
                "retries": retries,
            }
        )
    return rows


def by_campaign(found: list[Row], world: dict[str, list[Row]]) -> list[Row]:
    campaigns = {row["id"]: row for row in world["campaigns"]}
    brands = {row["id"]: row for row in world["brands"]}
    there = [row for row in found if row["status"] != "deleted"]
    ids = {row["campaign_id"] for row in there}
    if world["number_assignments"]:
        ids |= {row["id"] for row in world["campaigns"] if not row["deleted_at"]}
    rows = []
    for campaign_id in ids:
        ours = [row for row in there if row["campaign_id"] == campaign_id]
        campaign = campaigns.get(campaign_id, {})
        brand = brands.get(campaign.get("brand_id"), {})
        names = max((row["brand_name"] for row in ours), default=None)
        count = {s: sum(row["status"] == s for row in ours) for s in ("completed", "failed")}
        limit = None if campaign.get("number_pooling_required") else LIMIT
        rows.append(
            {
                "campaign_id": campaign_id,
                "campaign_name": campaign.get("name") or campaign_id,
                "brand_name": brand.get("name") or campaign.get("brand_id") or names,
                "use_case": campaign.get("sms_use_case") or "(none)",
                "campaign_state": campaign.get("state"),
                "numbers": len(ours),
                **count,
                "waiting": len(ours) - sum(count.values()),
                "share_usable": count["completed"] / len(ours) if ours else None,
                "number_limit": limit,
                "numbers_left": limit and limit - len(ours),
            }
        )
    return rows


def time_to_usable(found: list[Row]) -> list[Row]:
    groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
    names = {}
    for row in found:
        for grouped_by, key, name in (
            ("all", "(all)", "(all)"),
            ("campaign", row["campaign_id"], row["campaign_name"]),
            ("brand", row["brand_id"], row["brand_name"]),
            ("use case", row["use_case"], row["use_case"]),
        ):
            groups[grouped_by, key].append(row)
            names[grouped_by, key] = name
    rows = []
    for (grouped_by, key), ours in groups.items():
        took = [row["hours_to_usable"] for row in ours if row["hours_to_usable"] is not None]
        observed = [
            {
                "observed_hours": row["observed_hours"],
                "status": "open" if row["hours_to_usable"] is None else "processed",
            }
            for row in ours
            if row["observed_hours"] is not None
        ]
        never = [row for row in ours if row["completed_at"] is None]
        rows.append(
            {
                "grouped_by": grouped_by,
                "group_id": key,
                "group_name": names[grouped_by, key],
                "numbers": len(ours),
                "completed": len(ours) - len(never),
                "waiting": sum(row["status"] == "waiting" for row in never),
                "failed": sum(row["status"] == "failed" for row in never),
                "median_hours": float(np.percentile(took, 50)) if took else None,
                "p90_hours": float(np.percentile(took, 90)) if took else None,
                "median_hours_all": survival_quantile(observed, Fraction(1, 2)),
                "p90_hours_all": survival_quantile(observed, Fraction(1, 10)),
                "share_censored": (
                    sum(row["status"] == "open" for row in observed) / len(observed)
                    if observed
                    else None
                ),
            }
        )
    return rows


def failed(found: list[Row]) -> list[Row]:
    names = (
        "number_assignment_id", "phone_number", "campaign_id", "campaign_name", "brand_name",
        "use_case", "created_at", "retries",
    )  # fmt: skip
    return [
        {name: row[name] for name in names} | {"failed_at": row["updated_at"]}
        for row in found
        if row["status"] == "failed"
    ]


def approval(world: dict[str, list[Row]], kind: str, approved: str, now: datetime) -> list[Row]:
    brands = {row["id"]: row for row in world["brands"]}
    histories = history(world[f"{kind}_changes"], kind)
    rows = []
    for record in world[f"{kind}s"]:
        if record["deleted_at"]:
            continue
        seen = histories.get(record["id"], [])
        known = seen and seen[0]["state"] != approved
        moments = [changed_at(change) for change in seen if change["state"] == approved]
        at = min(moments) if known and moments else None
        created = likely(record["created_at"], now)
        waits = record["state"] == "pending"
        row = {
            f"{kind}_id": record["id"],
            f"{kind}_name": record["name"] or record["id"],
            "state": record["state"],
            "created_at": record["created_at"],
            "approved_at": at,
            "approval_hours": hours(at - created) if at and created and at >= created else None,
            "waiting_hours": max(0.0, hours(now - created)) if waits and created else None,
            "was_seen_waiting": at is not None or waits,
        }
        if kind == "campaign":
            row["brand_name"] = brands.get(record["brand_id"], {}).get("name") or record["brand_id"]
            row["use_case"] = record["sms_use_case"] or "(none)"
        rows.append(row)
    return rows


def truth(world: dict[str, list[Row]], now: datetime) -> dict[str, list[Row]]:
    """Every report's rows, in no order."""
    found = numbers(world, now)
    return {
        "number_processing": found,
        "numbers_by_campaign": by_campaign(found, world),
        "numbers_time_to_usable": time_to_usable(found),
        "failed_numbers": failed(found),
        "campaign_approval": approval(world, "campaign", "active", now),
        "brand_approval": approval(world, "brand", "completed", now),
    }
