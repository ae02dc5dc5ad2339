-- One row per group of number assignments: how long until a number can send. The groups are all, each campaign, brand and use case. Empty unless runs load number assignments (setting number_assignments).
--
-- grouped_by: all, campaign, brand or use case.
-- group_id: The campaign's or brand's id, or the use case; (all) for all.
-- group_name: The campaign's or brand's name, else its id; the use case; (all).
-- numbers: All assignments, deleted ones too.
-- completed: Those that were completed, now or once.
-- waiting: Waiting ones that were never completed.
-- failed: Failed ones that were never completed.
-- median_hours: Median time from created to completed, of those completed. It flatters while others wait.
-- p90_hours: 90 % of those completed took no longer.
-- median_hours_all: Median over all, including those never completed (Kaplan-Meier); null while fewer than half are completed.
-- p90_hours_all: The time within which 90 % of all are completed, likewise.
-- share_censored: Share of assignments known only to have waited, 0 to 1.
--
-- On a terminal: grouped_by, group_name, numbers, median_hours_all, p90_hours_all, waiting, failed
WITH grouped AS (
    SELECT 'all' AS grouped_by, '(all)' AS group_id, '(all)' AS group_name,
        status, completed_at, hours_to_usable, observed_hours
    FROM number_processing
    UNION ALL
    SELECT 'campaign', campaign_id, campaign_name,
        status, completed_at, hours_to_usable, observed_hours
    FROM number_processing
    UNION ALL
    SELECT 'brand', brand_id, brand_name,
        status, completed_at, hours_to_usable, observed_hours
    FROM number_processing
    UNION ALL
    SELECT 'use case', use_case, use_case,
        status, completed_at, hours_to_usable, observed_hours
    FROM number_processing
),

ranks AS (
    SELECT
        grouped_by,
        group_id,
        observed_hours,
        hours_to_usable,
        -- those completed after the same time come before those still waiting then
        row_number() OVER (
            PARTITION BY grouped_by, group_id
            ORDER BY observed_hours, CASE WHEN hours_to_usable IS NOT NULL THEN 0 ELSE 1 END
        ) AS position,
        count(*) OVER (PARTITION BY grouped_by, group_id) AS numbers
    FROM grouped
    WHERE observed_hours IS NOT NULL
),

-- Kaplan and Meier's product, as a sum of logarithms
curve AS (
    SELECT
        grouped_by,
        group_id,
        observed_hours,
        sum(
            CASE
                WHEN hours_to_usable IS NULL THEN 0
                WHEN position < numbers THEN ln(1 - 1 / CAST(numbers - position + 1 AS DOUBLE))
                ELSE -100
            END
        ) OVER (
            PARTITION BY grouped_by, group_id
            ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_share_waiting
    FROM ranks
),

-- a hair above the logarithms of 0.5 and 0.1: a sum of logarithms may end beside them
quantiles AS (
    SELECT
        grouped_by,
        group_id,
        min(CASE WHEN log_share_waiting <= -0.693147180559 THEN observed_hours END)
            AS median_hours_all,
        min(CASE WHEN log_share_waiting <= -2.302585092993 THEN observed_hours END)
            AS p90_hours_all
    FROM curve
    GROUP BY grouped_by, group_id
),

measures AS (
    SELECT
        grouped_by,
        group_id,
        max(group_name) AS group_name,
        count(*) AS numbers,
        count(completed_at) AS completed,
        count(CASE WHEN completed_at IS NULL AND status = 'waiting' THEN 1 END) AS waiting,
        count(CASE WHEN completed_at IS NULL AND status = 'failed' THEN 1 END) AS failed,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY hours_to_usable) AS median_hours,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY hours_to_usable) AS p90_hours,
        CAST(count(CASE WHEN hours_to_usable IS NULL THEN observed_hours END) AS DOUBLE)
            / nullif(count(observed_hours), 0) AS share_censored
    FROM grouped
    GROUP BY grouped_by, group_id
)

SELECT
    measures.grouped_by,
    measures.group_id,
    measures.group_name,
    measures.numbers,
    measures.completed,
    measures.waiting,
    measures.failed,
    measures.median_hours,
    measures.p90_hours,
    quantiles.median_hours_all,
    quantiles.p90_hours_all,
    measures.share_censored
FROM measures
LEFT JOIN quantiles
    ON quantiles.grouped_by = measures.grouped_by AND quantiles.group_id = measures.group_id
ORDER BY measures.grouped_by, quantiles.median_hours_all DESC NULLS FIRST, measures.group_id
