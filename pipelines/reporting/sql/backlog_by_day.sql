-- One row per day from the first order until now, including days without orders. Orders without a plausible created_at are left out.
--
-- day: The day (UTC).
-- arrived: Orders created.
-- processed: Orders processed.
-- failed: Orders that failed, by their last change; one that recovered counts as processed only.
-- deleted: Orders found deleted before they were processed.
-- open_at_end: Orders open at the end of the day (now, on the last one).
WITH RECURSIVE limits AS (
    SELECT
        min(least(order_processing.created_at, data_as_of.as_of)) AS first_at,
        max(data_as_of.as_of) AS last_at
    FROM order_processing
    CROSS JOIN data_as_of
    WHERE order_processing.created_day IS NOT NULL
),

days AS (
    SELECT CAST(first_at AT TIME ZONE 'UTC' AS DATE) AS day FROM limits WHERE first_at IS NOT NULL
    UNION ALL
    SELECT CAST(days.day + INTERVAL '1' DAY AS DATE) AS day
    FROM days
    CROSS JOIN limits
    WHERE days.day < CAST(limits.last_at AT TIME ZONE 'UTC' AS DATE)
),

arrivals AS (
    SELECT
        CAST(least(created_at, as_of) AT TIME ZONE 'UTC' AS DATE) AS day,
        count(*) AS arrived
    FROM order_processing
    CROSS JOIN data_as_of
    WHERE created_day IS NOT NULL
    GROUP BY 1
),

departures AS (
    SELECT
        CAST(left_at AT TIME ZONE 'UTC' AS DATE) AS day,
        count(CASE WHEN status = 'processed' THEN 1 END) AS processed,
        count(CASE WHEN status = 'failed' THEN 1 END) AS failed,
        count(CASE WHEN status = 'deleted' THEN 1 END) AS deleted
    FROM order_processing
    WHERE created_day IS NOT NULL AND left_at IS NOT NULL
    GROUP BY 1
),

flows AS (
    SELECT
        days.day,
        coalesce(arrivals.arrived, 0) AS arrived,
        coalesce(departures.processed, 0) AS processed,
        coalesce(departures.failed, 0) AS failed,
        coalesce(departures.deleted, 0) AS deleted
    FROM days
    LEFT JOIN arrivals ON arrivals.day = days.day
    LEFT JOIN departures ON departures.day = days.day
)

SELECT
    day,
    arrived,
    processed,
    failed,
    deleted,
    CAST(sum(arrived - processed - failed - deleted) OVER (
        ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS BIGINT) AS open_at_end
FROM flows
ORDER BY day
