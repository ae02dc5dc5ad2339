-- One row per order and state: time spent in it, from the changes that runs have seen.
--
-- order_id: The order (orders.id).
-- campaign_id: Its campaign (campaigns.id).
-- state: The state; deleted once found deleted.
-- times: How often it entered that state.
-- hours: Hours spent in it, until now if it is current.
-- is_current: Whether it is in that state now.
-- recovered: Whether it went on from failed to another state.
--
-- On a terminal: order_id, state, hours, is_current, recovered
WITH seen AS (
    SELECT
        order_id,
        campaign_id,
        CASE WHEN deleted_at IS NOT NULL THEN 'deleted' ELSE coalesce(state, '(none)') END AS state,
        -- in seconds, which cost less to subtract than times
        extract(epoch FROM coalesce(
            deleted_at,
            -- no change is older than 10DLC, or younger than its first reading
            CASE WHEN updated_at BETWEEN calendar_start AND seen_at THEN updated_at END,
            seen_at
        )) AS since,
        seen_at
    FROM order_changes
    CROSS JOIN data_as_of
    -- an order that came back was never away
    WHERE deleted_at IS NULL OR order_id IN (SELECT id FROM orders WHERE deleted_at IS NOT NULL)
),

-- also between changes that left the state as it was: their stays add up
stays AS (
    SELECT
        order_id,
        campaign_id,
        state,
        since,
        lead(since) OVER (PARTITION BY order_id ORDER BY since, seen_at, state) AS until,
        lead(state) OVER (PARTITION BY order_id ORDER BY since, seen_at, state) AS state_after
    FROM seen
),

moment AS (
    SELECT extract(epoch FROM as_of) AS as_of FROM data_as_of
)

SELECT
    order_id,
    max(campaign_id) AS campaign_id,
    state,
    -- it was entered as often as it was left, or is not left yet
    count(CASE WHEN state_after IS NULL OR state_after <> state THEN 1 END) AS times,
    -- seconds since 1970 as doubles are off in the seventh digit; times have six
    sum(CAST(greatest(round(coalesce(until, as_of) - since, 6), 0) AS DOUBLE) / 3600) AS hours,
    max(CASE WHEN until IS NULL THEN 1 ELSE 0 END) = 1 AS is_current,
    max(CASE WHEN state = 'failed' AND state_after <> 'failed' THEN 1 ELSE 0 END) = 1 AS recovered
FROM stays
CROSS JOIN moment
GROUP BY order_id, state
