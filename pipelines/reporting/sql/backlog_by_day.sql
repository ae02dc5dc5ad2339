-- One row per day from the first order until now, including days without orders. Orders without a plausible created_at are left out.
--
-- day: The day (UTC).
-- arrived: Orders created.
-- processed: Orders processed.
-- failed: Orders that failed, by their last change; one that recovered counts as processed only.
-- deleted: Orders found deleted before they were processed.
-- open_at_end: Orders open at the end of the day (now, on the last one).
--
-- On a terminal: day, arrived, processed, open_at_end, failed
WITH limits AS (
    SELECT
        CAST(min(least(order_processing.created_at, data_as_of.as_of)) AT TIME ZONE 'UTC' AS DATE)
            AS first_day,
        CAST(max(data_as_of.as_of) AT TIME ZONE 'UTC' AS DATE) AS last_day
    FROM order_processing
    CROSS JOIN data_as_of
    WHERE order_processing.created_day IS NOT NULL
),

digits AS (
    SELECT digit FROM (VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)) AS t (digit)
),

-- 10,000 days are 27 years; a recursive query would ask for the limits once for each of them
numbers AS (
    SELECT ones.digit + 10 * tens.digit + 100 * hundreds.digit + 1000 * thousands.digit AS number
    FROM digits AS ones
    CROSS JOIN digits AS tens
    CROSS JOIN digits AS hundreds
    CROSS JOIN digits AS thousands
),

candidates AS (
    SELECT
        CAST(limits.first_day + numbers.number * INTERVAL '1' DAY AS DATE) AS day,
        limits.last_day
    FROM limits
    CROSS JOIN numbers
    WHERE limits.first_day IS NOT NULL
),

days AS (
    SELECT day FROM candidates WHERE day <= last_day
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
