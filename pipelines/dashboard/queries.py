"""The dashboard's queries over reports and tables, in DuckDB's SQL as the reports are.

The page, its tables and its scripts use the names of the columns as they are here.
"""

from __future__ import annotations

# the last four are shown as tables: the campaign of each row, and what is in the columns that
# COLUMNS names
QUERIES = {
    # the reports' current time, and the newest run; times are NULL before a complete run
    "freshness": """
SELECT as_of, CAST(as_of AT TIME ZONE 'UTC' AS DATE) - DATE '1970-01-01' AS today, last_run_at,
       last_run_complete
FROM data_as_of""",
    "summary": """
SELECT orders, processed, open, median_hours, p90_hours, median_hours_all, p90_hours_all,
       share_within_target, (SELECT count(*) FROM promises) AS promises,
       (SELECT max(target_hours) FROM processing_targets WHERE is_main) AS main_target
FROM processing_time_summary""",
    "checks": """
SELECT check_name, severity, count AS found, meaning FROM data_quality WHERE count > 0
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, check_name""",
    # lists that the newest run could not read; `total` counts all of them
    "failures": """
SELECT coalesce(campaigns.name, failures.campaign_id, failures.brand_id) AS name, failures.path,
       failures.reason, count(*) OVER () AS total
FROM campaign_failures AS failures
LEFT JOIN campaigns AS campaigns ON campaigns.id = failures.campaign_id
WHERE failures.run_id IN (SELECT run_id FROM newest_runs)
ORDER BY failures.path LIMIT 20""",
    "targets": """
SELECT target_hours AS hours, is_main FROM processing_targets ORDER BY hours""",
    "all_campaigns": """
SELECT campaign_id, max(campaign_name) AS campaign_name, max(brand_id) AS brand_id,
       max(brand_name) AS brand_name, max(use_case) AS use_case
FROM (
    SELECT campaign_id, campaign_name, brand_id, brand_name, use_case
    FROM order_processing
    UNION ALL
    SELECT campaign_id, campaign_name, brand_id, brand_name, use_case
    FROM number_processing
) AS named
GROUP BY campaign_id ORDER BY campaign_id""",
    # asked once for all groups; those of campaigns are put beside their numbers
    "number_times": """
SELECT grouped_by, group_id, median_hours_all AS median_until_usable,
       p90_hours_all AS p90_until_usable
FROM numbers_time_to_usable""",
    "campaigns": """
SELECT campaign_id, campaign_name, brand_name, use_case, orders, open, failed, median_hours_all,
       p90_hours_all, median_hours, p90_hours, share_within_target
FROM processing_time_by_campaign
ORDER BY median_hours_all DESC NULLS FIRST, open DESC, campaign_id LIMIT 100""",
    "stuck": """
SELECT campaign_id, order_id, campaign_name, brand_name, state, created_at, age_hours, limit_hours,
       limit_is, count(*) OVER () AS total
FROM stuck_orders ORDER BY age_hours DESC, order_id LIMIT 1000""",
    "numbers": """
SELECT campaign_id, campaign_name, brand_name, use_case, numbers, completed, waiting, failed,
       share_usable, NULL AS median_until_usable, NULL AS p90_until_usable, numbers_left
FROM numbers_by_campaign WHERE numbers > 0
ORDER BY share_usable, numbers DESC, campaign_id""",
    "failed_numbers": """
SELECT campaign_id, phone_number, campaign_name, brand_name, failed_at, retries
FROM failed_numbers
ORDER BY failed_at DESC NULLS LAST, number_assignment_id LIMIT 1000""",
}

ORDERS = """
SELECT placed.campaign_id, placed.created_day - DATE '1970-01-01' AS created_day,
       CAST(placed.left_at AT TIME ZONE 'UTC' AS DATE) - placed.created_day AS days_open,
       placed.status, placed.observed_hours AS hours, stuck.order_id IS NOT NULL AS stuck,
       NOT coalesce(placed.within_target, TRUE) AS late
FROM order_processing AS placed
LEFT JOIN stuck_orders AS stuck ON stuck.order_id = placed.order_id
ORDER BY placed.campaign_id, placed.created_day NULLS LAST"""

# the heading of each column, and the kind of its values: one of formats.SHOWN, what a click on a
# name filters by, or what a click copies
COLUMNS = {
    "order_id": ("Order", "copied"),
    "phone_number": ("Number", "copied"),
    "campaign_name": ("Campaign", "campaign"),
    "brand_name": ("Brand", "brand"),
    "use_case": ("Use case", "use_case"),
    "state": ("State", "text"),
    "created_at": ("Created (UTC)", "time"),
    "failed_at": ("Failed (UTC)", "time"),
    "age_hours": ("Waiting", "hours"),
    "limit_hours": ("Usual limit", "hours"),
    "limit_is": ("Limit is", "text"),
    "orders": ("Orders", "count"),
    "numbers": ("Numbers", "count"),
    "open": ("Open", "count"),
    "completed": ("Can send", "count"),
    "waiting": ("Waiting", "count"),
    "failed": ("Failed", "count"),
    "retries": ("Tried again", "count"),
    "median_hours_all": ("Median, all", "endless"),
    "p90_hours_all": ("p90, all", "endless"),
    "median_hours": ("Median, processed", "hours"),
    "p90_hours": ("p90, processed", "hours"),
    "share_within_target": ("Within target", "share"),
    "share_usable": ("Share", "share"),
    "median_until_usable": ("Median until usable", "endless"),
    "p90_until_usable": ("p90 until usable", "endless"),
    "numbers_left": ("Places left", "places"),
}
