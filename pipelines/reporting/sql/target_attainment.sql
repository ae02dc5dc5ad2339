-- One row per target: the share of orders processed within it.
--
-- target_hours: The target in hours.
-- orders: Orders old enough to judge: processed, or created longer ago than the target.
-- within: Of these, processed within the target.
-- missed: Of these, processed later or not yet, including failed orders.
-- not_yet: Orders too young to judge; left out.
-- share_within: within of orders, 0 to 1; null without orders.
WITH outcomes AS (
    SELECT
        target_hours,
        CASE
            WHEN processing_hours <= target_hours THEN 'within'
            WHEN observed_hours > target_hours THEN 'missed'
            WHEN observed_hours IS NOT NULL THEN 'not yet'
        END AS outcome
    FROM processing_targets
    LEFT JOIN order_processing ON TRUE
),

counts AS (
    SELECT
        target_hours,
        count(CASE WHEN outcome = 'within' THEN 1 END) AS within,
        count(CASE WHEN outcome = 'missed' THEN 1 END) AS missed,
        count(CASE WHEN outcome = 'not yet' THEN 1 END) AS not_yet
    FROM outcomes
    GROUP BY target_hours
)

SELECT
    target_hours,
    within + missed AS orders,
    within,
    missed,
    not_yet,
    CAST(within AS DOUBLE) / nullif(within + missed, 0) AS share_within
FROM counts
ORDER BY target_hours
