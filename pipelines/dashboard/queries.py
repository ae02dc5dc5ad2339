"""The dashboard's queries, in SQL that DuckDB and PostgreSQL both run.

`{reports}` is the schema of the views, `{dataset}` that of the tables. The columns of each query
are the fields of the tuple in `data.py` that it fills, in that order.
"""

from __future__ import annotations

AS_OF = "SELECT as_of, last_run_at, last_run_complete FROM {reports}.data_as_of"

SUMMARY = """
SELECT orders, processed, open, median_hours, p90_hours, median_hours_all, p90_hours_all,
       share_within_target, (SELECT count(*) FROM {reports}.promises)
FROM {reports}.processing_time_summary"""

CHECKS = """
SELECT check_name, severity, count, meaning FROM {reports}.data_quality WHERE count > 0
ORDER BY CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, check_name"""

FAILURES = """
SELECT coalesce(campaigns.name, failures.campaign_id, failures.brand_id), failures.path,
       failures.reason, count(*) OVER ()
FROM {dataset}.campaign_failures AS failures
LEFT JOIN {dataset}.campaigns AS campaigns ON campaigns.id = failures.campaign_id
WHERE failures.run_id IN (SELECT run_id FROM {reports}.newest_runs)
ORDER BY failures.path LIMIT 20"""

TARGETS = """
SELECT target_hours, targets.is_main, attainment.share_within
FROM {reports}.processing_targets AS targets
JOIN {reports}.target_attainment AS attainment USING (target_hours)
ORDER BY target_hours"""

CAMPAIGNS = """
SELECT campaign_id, max(campaign_name), max(brand_id), max(brand_name), max(use_case)
FROM (
    SELECT campaign_id, campaign_name, brand_id, brand_name, use_case
    FROM {reports}.order_processing
    UNION ALL
    SELECT campaign_id, campaign_name, brand_id, brand_name, use_case
    FROM {reports}.number_processing
) AS named
GROUP BY campaign_id ORDER BY campaign_id"""

# for readers without scripts
SLOWEST = """
SELECT campaign_name, brand_name, use_case, orders, open, failed, median_hours_all, p90_hours_all,
       median_hours, p90_hours, share_within_target
FROM {reports}.processing_time_by_campaign
ORDER BY median_hours_all DESC NULLS FIRST, open DESC, campaign_id LIMIT 100"""

STUCK = """
SELECT order_id, campaign_id, state, created_at, age_hours, limit_hours, limit_is,
       count(*) OVER ()
FROM {reports}.stuck_orders ORDER BY age_hours DESC, order_id LIMIT 1000"""

NUMBERS = """
SELECT campaign_id, numbers, completed, waiting, failed, numbers_left
FROM {reports}.numbers_by_campaign WHERE numbers > 0
ORDER BY share_usable, numbers DESC, campaign_id"""

NUMBER_TIMES = """
SELECT grouped_by, group_id, median_hours_all, p90_hours_all
FROM {reports}.numbers_time_to_usable"""

FAILED_NUMBERS = """
SELECT phone_number, campaign_id, failed_at, retries
FROM {reports}.failed_numbers ORDER BY failed_at DESC NULLS LAST, number_assignment_id LIMIT 1000"""

ORDERS = """
SELECT placed.campaign_id, placed.created_day, CAST(placed.left_at AT TIME ZONE 'UTC' AS DATE),
       placed.status, placed.observed_hours, stuck.order_id IS NOT NULL,
       NOT coalesce(placed.within_target, TRUE)
FROM {reports}.order_processing AS placed
LEFT JOIN {reports}.stuck_orders AS stuck ON stuck.order_id = placed.order_id
ORDER BY placed.campaign_id, placed.created_day NULLS LAST"""
