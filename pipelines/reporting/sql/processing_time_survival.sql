-- One row per step of the curve of orders still waiting (Kaplan-Meier), by time.
--
-- hours: Hours since an order was created.
-- at_risk: Orders known to have waited until then.
-- processed: Orders processed at exactly that time.
-- censored: Orders only known to have waited that long: open, failed or deleted.
-- share_waiting: Estimated share of all orders still waiting after that time, 0 to 1.
-- lower: Lower end of its 95 % confidence band (log-log); null where there is none.
-- upper: Upper end of that band.
WITH times AS (
    SELECT
        observed_hours AS hours,
        count(*) AS orders,
        count(CASE WHEN status = 'processed' THEN 1 END) AS processed
    FROM order_processing
    WHERE observed_hours IS NOT NULL
    GROUP BY observed_hours
),

risks AS (
    SELECT
        hours,
        orders,
        processed,
        sum(orders) OVER () - sum(orders) OVER (
            ORDER BY hours ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) + orders AS at_risk
    FROM times
),

sums AS (
    SELECT
        hours,
        orders,
        processed,
        at_risk,
        sum(
            CASE
                WHEN processed < at_risk
                    THEN ln(1 - CAST(processed AS DOUBLE) / CAST(at_risk AS DOUBLE))
                ELSE 0
            END
        ) OVER (
            ORDER BY hours ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_share,
        -- Greenwood's formula
        sum(
            CASE
                WHEN processed < at_risk
                    THEN CAST(processed AS DOUBLE)
                        / (CAST(at_risk AS DOUBLE) * CAST(at_risk - processed AS DOUBLE))
                ELSE 0
            END
        ) OVER (
            ORDER BY hours ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS variance
    FROM risks
),

spread AS (
    SELECT
        *,
        CASE WHEN processed < at_risk AND log_share < 0
            THEN 1.959963984540054 * sqrt(variance) / -log_share
        END AS half_width
    FROM sums
)

SELECT
    hours,
    CAST(at_risk AS BIGINT) AS at_risk,
    processed,
    orders - processed AS censored,
    CASE WHEN processed = at_risk THEN 0 ELSE exp(log_share) END AS share_waiting,
    CASE WHEN half_width IS NOT NULL
        -- PostgreSQL raises an error on underflow
        THEN exp(greatest(log_share * exp(least(half_width, CAST(100 AS DOUBLE))), CAST(-700 AS DOUBLE)))
    END AS lower,
    CASE WHEN half_width IS NOT NULL THEN exp(log_share * exp(-half_width)) END AS upper
FROM spread
ORDER BY hours
