-- One row per order: how long it took, or has been waiting. All other reports build on it.
--
-- order_id: The order (orders.id).
-- campaign_id: Its campaign (campaigns.id).
-- campaign_name: The campaign's name, else its id.
-- brand_id: Its brand (brands.id).
-- brand_name: The brand's name, else its id.
-- use_case: The campaign's use case, or (none).
-- state: The order's state in the API.
-- status: processed, failed (which may still become processed), deleted (before it was processed) or open.
-- created_at: When it was created (UTC).
-- updated_at: When it last changed (UTC).
-- processed_at: When it was processed (UTC), or null.
-- left_at: When it stopped being open: processed, failed or deleted (UTC); null while open, or if unknown.
-- processing_hours: From created to processed; null unless both are known, plausible (see data_as_of) and in that order.
-- age_hours: From created until now (see data_as_of), of open orders.
-- observed_hours: processing_hours, or how long it is known to have waited.
-- promise: The promise that counts for it (promises.promise); null, like promised_hours, unless created_at is plausible.
-- promised_hours: The hours that were promised.
-- within_target: Whether it was processed within promised_hours; null while undecided.
-- created_day: The day it was created (UTC); null, like the four below and age_hours, unless created_at is plausible.
-- created_week: The Monday of that week (UTC).
-- created_month: The first day of that month (UTC).
-- created_weekday: 1 for Monday to 7 for Sunday (UTC).
-- created_hour: The hour of the day, 0 to 23 (UTC).
--
-- On a terminal: order_id, status, campaign_name, processing_hours, age_hours, created_at
WITH campaigns_read AS (
    SELECT DISTINCT
        coalesce(orders.campaign_id, '') AS campaign_id,
        coalesce(orders.brand_id, '') AS brand_id,
        lower(coalesce(campaigns.sms_use_case, '')) AS use_case
    FROM orders
    LEFT JOIN campaigns ON campaigns.id = orders.campaign_id
),

-- what may count for a campaign's orders, from which day on
offered AS (
    SELECT
        campaigns_read.campaign_id,
        campaigns_read.brand_id,
        promises.promise,
        promises.promised_hours,
        promises.since,
        promises.priority
    FROM campaigns_read
    CROSS JOIN promises
    WHERE coalesce(promises.campaign_id, campaigns_read.campaign_id) = campaigns_read.campaign_id
        AND coalesce(promises.brand_id, campaigns_read.brand_id) = campaigns_read.brand_id
        AND coalesce(lower(promises.use_case), campaigns_read.use_case) = campaigns_read.use_case
),

spans AS (
    SELECT
        campaign_id,
        brand_id,
        since,
        lead(since) OVER (PARTITION BY campaign_id, brand_id ORDER BY since) AS until
    FROM (SELECT DISTINCT campaign_id, brand_id, since FROM offered) AS days
),

-- what does count, until the next one begins
ranked AS (
    SELECT
        spans.campaign_id,
        spans.brand_id,
        spans.since,
        coalesce(spans.until, CAST('9999-01-01' AS DATE)) AS until,
        offered.promise,
        offered.promised_hours,
        row_number() OVER (
            PARTITION BY spans.campaign_id, spans.brand_id, spans.since
            ORDER BY offered.priority DESC, offered.since DESC
        ) AS place
    FROM spans
    JOIN offered
        ON offered.campaign_id = spans.campaign_id
        AND offered.brand_id = spans.brand_id
        AND offered.since <= spans.since
),

promised AS (
    SELECT campaign_id, brand_id, since, until, promise, promised_hours FROM ranked WHERE place = 1
),

named AS (
    SELECT
        orders.id AS order_id,
        orders.campaign_id,
        coalesce(campaigns.name, orders.campaign_id) AS campaign_name,
        orders.brand_id,
        coalesce(brands.name, orders.brand_id) AS brand_name,
        coalesce(campaigns.sms_use_case, '(none)') AS use_case,
        orders.state,
        CASE
            WHEN orders.state = 'processed' THEN 'processed'
            WHEN orders.deleted_at IS NOT NULL THEN 'deleted'
            WHEN orders.state = 'failed' THEN 'failed'
            ELSE 'open'
        END AS status,
        orders.created_at,
        orders.updated_at,
        orders.processed_at,
        orders.deleted_at,
        -- one order of the year 1 or 9999 would outweigh all others: such a time counts as missing
        CASE
            WHEN orders.created_at < calendar_start OR orders.created_at > calendar_end THEN NULL
            ELSE orders.created_at
        END AS begun_at,
        CASE
            WHEN orders.updated_at < calendar_start OR orders.updated_at > calendar_end THEN NULL
            ELSE orders.updated_at
        END AS changed_at,
        CASE
            WHEN orders.processed_at < calendar_start OR orders.processed_at > calendar_end THEN NULL
            ELSE orders.processed_at
        END AS done_at,
        data_as_of.as_of
    FROM orders
    CROSS JOIN data_as_of
    LEFT JOIN campaigns ON campaigns.id = orders.campaign_id
    LEFT JOIN brands ON brands.id = orders.brand_id
),

ended AS (
    SELECT
        *,
        CASE status
            WHEN 'processed' THEN coalesce(done_at, changed_at, begun_at)
            WHEN 'failed' THEN coalesce(changed_at, begun_at)
            WHEN 'deleted' THEN deleted_at
        END AS ended_at,
        -- a difference of zoned times would depend on the reader's daylight saving time
        begun_at AT TIME ZONE 'UTC' AS created_utc,
        done_at AT TIME ZONE 'UTC' AS processed_utc,
        CASE WHEN status = 'deleted' THEN deleted_at ELSE as_of END AT TIME ZONE 'UTC' AS waited_utc
    FROM named
),

timed AS (
    SELECT
        *,
        CASE WHEN status = 'processed' AND done_at >= begun_at
            THEN CAST(extract(epoch FROM processed_utc - created_utc) AS DOUBLE) / 3600
        END AS processing_hours,
        CASE WHEN status <> 'processed' AND begun_at IS NOT NULL
            THEN greatest(
                CAST(extract(epoch FROM waited_utc - created_utc) AS DOUBLE) / 3600,
                CAST(0 AS DOUBLE)
            )
        END AS waiting_hours
    FROM ended
)

SELECT
    order_id,
    timed.campaign_id,
    campaign_name,
    timed.brand_id,
    brand_name,
    use_case,
    state,
    status,
    created_at,
    updated_at,
    processed_at,
    -- neither before it was created nor after now
    CASE WHEN ended_at IS NOT NULL THEN least(greatest(ended_at, begun_at), as_of) END
        AS left_at,
    processing_hours,
    CASE WHEN status = 'open' THEN waiting_hours END AS age_hours,
    coalesce(processing_hours, waiting_hours) AS observed_hours,
    promised.promise,
    promised.promised_hours,
    CASE
        WHEN processing_hours <= promised.promised_hours THEN TRUE
        WHEN processing_hours > promised.promised_hours THEN FALSE
        WHEN waiting_hours > promised.promised_hours THEN FALSE
    END AS within_target,
    CAST(created_utc AS DATE) AS created_day,
    CAST(date_trunc('week', created_utc) AS DATE) AS created_week,
    CAST(date_trunc('month', created_utc) AS DATE) AS created_month,
    CAST(extract(isodow FROM created_utc) AS INTEGER) AS created_weekday,
    CAST(extract(hour FROM created_utc) AS INTEGER) AS created_hour
FROM timed
LEFT JOIN promised
    ON promised.campaign_id = coalesce(timed.campaign_id, '')
    AND promised.brand_id = coalesce(timed.brand_id, '')
    AND CAST(timed.created_utc AS DATE) >= promised.since
    AND CAST(timed.created_utc AS DATE) < promised.until
