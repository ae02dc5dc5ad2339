"""The dashboard's queries, in SQL that DuckDB and PostgreSQL both run.

`{reports}` is the schema of the views, `{dataset}` that of the tables. The columns of each query
are the fields of the tuple in `data.py` that it fills, in that order. What could be as long as the
list of orders is aggregated or cut here, so that neither memory nor the page grows with it.
"""

from __future__ import annotations

AS_OF = "SELECT as_of, last_run_at, last_run_complete FROM {reports}.data_as_of"

SUMMARY = """
SELECT orders, processed, open, failed, deleted, median_hours, p90_hours, median_hours_all,
       p90_hours_all, p75_hours, share_censored, share_within_target
FROM {reports}.processing_time_summary"""

PACE = """
SELECT count(CASE WHEN left_at > as_of - INTERVAL '7' DAY THEN 1 END),
       count(CASE WHEN left_at <= as_of - INTERVAL '7' DAY
                   AND left_at > as_of - INTERVAL '14' DAY THEN 1 END)
FROM {reports}.order_processing CROSS JOIN {reports}.data_as_of
WHERE status = 'processed'"""

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
SELECT target_hours, targets.is_main, attainment.orders, attainment.missed,
       attainment.share_within
FROM {reports}.processing_targets AS targets
JOIN {reports}.target_attainment AS attainment USING (target_hours)
ORDER BY target_hours"""

# the newest three years; the page is too narrow for more
PERIODS = """
SELECT created_{period}, orders, open, median_hours, p90_hours, median_hours_all, p90_hours_all
FROM {reports}.processing_time_by_{period} WHERE created_{period} IS NOT NULL
ORDER BY created_{period} DESC LIMIT 157"""

# The last step in each cell of a grid over both shares and the logarithm of time: no dropped step
# lies further than 1/170 from the curve that is drawn, and two falling curves cannot cross more
# than some 500 cells.
SURVIVAL = """
WITH curve AS (
    SELECT hours, at_risk, share_waiting, lower, upper,
        1 - CAST(sum(processed) OVER (
            ORDER BY hours ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS DOUBLE PRECISION) / nullif(CAST(sum(processed) OVER () AS DOUBLE PRECISION), 0)
            AS share_naive
    FROM {reports}.processing_time_survival
),
placed AS (
    SELECT *, row_number() OVER (
        PARTITION BY floor(share_waiting * 170), floor(share_naive * 170),
            floor(ln(CASE WHEN hours * 60 > 1 THEN hours * 60 ELSE 1 END) / ln(10) * 25)
        ORDER BY hours DESC
    ) AS place
    FROM curve
)
SELECT hours, at_risk, share_waiting, lower, upper, share_naive
FROM placed WHERE place = 1 ORDER BY hours"""

# eight bins in each power of ten, from one minute on; -1 is everything shorter
HISTOGRAM = """
SELECT CASE WHEN processing_hours * 60 < 1 THEN -1
            ELSE CAST(floor(ln(processing_hours * 60) / ln(10) * 8) AS INTEGER) END,
       count(*)
FROM {reports}.order_processing WHERE processing_hours IS NOT NULL GROUP BY 1 ORDER BY 1"""

FLOW = """
SELECT day,
       CAST(sum(arrived) OVER (
           ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT),
       CAST(sum(processed) OVER (
           ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS BIGINT),
       open_at_end
FROM {reports}.backlog_by_day ORDER BY day"""

BACKLOG = """
SELECT bucket, from_hours, orders, oldest_hours FROM {reports}.backlog
ORDER BY from_hours NULLS LAST"""

CAMPAIGNS = """
SELECT campaign_name, brand_name, use_case, orders, open, failed, median_hours, p90_hours,
       median_hours_all, p90_hours_all, share_within_target, count(*) OVER ()
FROM {reports}.processing_time_by_campaign
ORDER BY median_hours_all DESC NULLS FIRST, open DESC, campaign_id LIMIT 2000"""

STUCK = """
SELECT order_id, campaign_name, brand_name, state, created_at, age_hours, limit_hours, limit_is,
       count(*) OVER ()
FROM {reports}.stuck_orders ORDER BY age_hours DESC, order_id LIMIT 200"""
