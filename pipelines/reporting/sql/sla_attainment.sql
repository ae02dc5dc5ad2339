-- One row per promise and month of creation, newest first: the share of orders that were processed as promised.
--
-- promise: The promise (promises.promise).
-- promised_hours: Its hours.
-- created_month: The first day of the month (UTC).
-- orders: Orders that this promise counts for and that are old enough to judge: processed, or created longer ago.
-- within: Of these, processed in time.
-- missed: Of these, processed later or not yet, including failed orders.
-- not_yet: Orders too young to judge; left out.
-- share_within: within of orders, 0 to 1; null without orders.
-- share_within_before: The same of the month before; null without orders there.
--
-- On a terminal: promise, created_month, share_within, share_within_before, orders, missed
WITH counts AS (
    SELECT
        promise,
        promised_hours,
        created_month,
        count(CASE WHEN within_target THEN 1 END) AS within,
        count(CASE WHEN NOT within_target THEN 1 END) AS missed,
        count(CASE WHEN within_target IS NULL THEN observed_hours END) AS not_yet
    FROM order_processing
    WHERE created_month IS NOT NULL
    GROUP BY promise, promised_hours, created_month
),

shares AS (
    SELECT
        *,
        within + missed AS orders,
        CAST(within AS DOUBLE) / nullif(within + missed, 0) AS share_within,
        extract(year FROM created_month) * 12 + extract(month FROM created_month) AS month_number
    FROM counts
)

SELECT
    promise,
    promised_hours,
    created_month,
    orders,
    within,
    missed,
    not_yet,
    share_within,
    CASE
        WHEN lag(month_number) OVER (PARTITION BY promise, promised_hours ORDER BY month_number)
            = month_number - 1
            THEN lag(share_within) OVER (PARTITION BY promise, promised_hours ORDER BY month_number)
    END AS share_within_before
FROM shares
ORDER BY created_month DESC, promise, promised_hours
