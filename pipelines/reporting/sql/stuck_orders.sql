-- One row per open order that has waited longer than usual in its campaign, oldest first.
--
-- order_id: The order (orders.id).
-- campaign_id: Its campaign (campaigns.id).
-- campaign_name: The campaign's name, else its id.
-- brand_name: The brand's name, else its id.
-- use_case: The campaign's use case, or (none).
-- state: The order's state.
-- created_at: When it was created (UTC).
-- updated_at: When it last changed (UTC).
-- age_hours: How long it has been waiting.
-- limit_hours: The usual limit.
-- limit_is: Where that comes from: the campaign's p95, if it processed 20 orders or more, or what was promised.
--
-- On a terminal: order_id, campaign_name, age_hours, limit_hours, state, brand_name
WITH usual AS (
    SELECT
        campaign_id,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_hours) AS p95_hours
    FROM order_processing
    WHERE processing_hours IS NOT NULL
    GROUP BY campaign_id
    HAVING count(*) >= 20
),

waiting AS (
    SELECT
        order_processing.order_id,
        order_processing.campaign_id,
        order_processing.campaign_name,
        order_processing.brand_name,
        order_processing.use_case,
        order_processing.state,
        order_processing.created_at,
        order_processing.updated_at,
        order_processing.age_hours,
        coalesce(usual.p95_hours, order_processing.promised_hours) AS limit_hours,
        CASE WHEN usual.p95_hours IS NULL THEN 'target' ELSE 'campaign p95' END AS limit_is
    FROM order_processing
    LEFT JOIN usual ON usual.campaign_id = order_processing.campaign_id
    WHERE order_processing.status = 'open'
)

SELECT
    order_id,
    campaign_id,
    campaign_name,
    brand_name,
    use_case,
    state,
    created_at,
    updated_at,
    age_hours,
    limit_hours,
    limit_is
FROM waiting
WHERE age_hours > limit_hours
ORDER BY age_hours DESC, order_id
