-- One row per age group of open orders, youngest first.
--
-- bucket: The age group.
-- from_hours: The lowest age in hours; null for an unknown age.
-- orders: Orders open now.
-- oldest_created_at: When the oldest of them was created (UTC).
-- oldest_hours: Its age in hours.
WITH buckets AS (
    SELECT
        bucket,
        CAST(from_hours AS DOUBLE) AS from_hours,
        CAST(to_hours AS DOUBLE) AS to_hours
    FROM (
        VALUES
            ('under 1 hour', 0.0, 1.0),
            ('1 to 4 hours', 1.0, 4.0),
            ('4 to 24 hours', 4.0, 24.0),
            ('1 to 2 days', 24.0, 48.0),
            ('2 to 7 days', 48.0, 168.0),
            ('7 to 30 days', 168.0, 720.0),
            ('over 30 days', 720.0, 1000000000.0)
    ) AS t (bucket, from_hours, to_hours)
),

placed AS (
    SELECT
        buckets.bucket,
        buckets.from_hours,
        count(waiting.order_id) AS orders,
        min(waiting.created_at) AS oldest_created_at,
        max(waiting.age_hours) AS oldest_hours
    FROM buckets
    LEFT JOIN (SELECT * FROM order_processing WHERE status = 'open') AS waiting
        ON waiting.age_hours >= buckets.from_hours AND waiting.age_hours < buckets.to_hours
    GROUP BY buckets.bucket, buckets.from_hours
    UNION ALL
    SELECT
        'not known' AS bucket,
        CAST(NULL AS DOUBLE) AS from_hours,
        count(*) AS orders,
        CAST(NULL AS TIMESTAMPTZ) AS oldest_created_at,
        CAST(NULL AS DOUBLE) AS oldest_hours
    FROM order_processing
    WHERE status = 'open' AND age_hours IS NULL
    HAVING count(*) > 0
)

SELECT
    bucket,
    from_hours,
    orders,
    oldest_created_at,
    oldest_hours
FROM placed
ORDER BY from_hours NULLS LAST
