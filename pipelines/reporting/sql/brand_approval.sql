-- One row per brand: how long its registration took, or has been waiting; those that wait first.
--
-- brand_id: The brand (brands.id).
-- brand_name: Its name, else its id.
-- state: Its state in the API.
-- created_at: When it was created (UTC).
-- approved_at: When it became completed, if runs have seen it in another state before (UTC).
-- approval_hours: From created to approved; the vendor says 3 to 5 business days.
-- waiting_hours: From created until now (see data_as_of), of brands that are pending.
-- was_seen_waiting: Whether runs have seen it in a state before its present one, or it is waiting; else no time is known.
--
-- On a terminal: brand_name, state, waiting_hours, approval_hours, approved_at
WITH seen AS (
    SELECT
        brand_id,
        state,
        seen_at,
        -- no change is older than 10DLC, or younger than its first reading
        CASE WHEN updated_at BETWEEN calendar_start AND seen_at THEN updated_at ELSE seen_at END
            AS since,
        row_number() OVER (PARTITION BY brand_id ORDER BY seen_at, updated_at, state) AS position
    FROM brand_changes
    CROSS JOIN data_as_of
    WHERE deleted_at IS NULL
),

approvals AS (
    SELECT
        brand_id,
        -- what was completed when it was seen first became so at a time that is not known
        min(CASE WHEN state = 'completed' AND position > 1 THEN since END) AS approved_at,
        min(CASE WHEN state = 'completed' AND position = 1 THEN since END) AS approved_before
    FROM seen
    GROUP BY brand_id
),

named AS (
    SELECT
        brands.id AS brand_id,
        coalesce(brands.name, brands.id) AS brand_name,
        brands.state,
        brands.created_at,
        CASE WHEN approvals.approved_before IS NULL THEN approvals.approved_at END AS approved_at,
        CASE
            WHEN brands.created_at BETWEEN calendar_start AND calendar_end THEN brands.created_at
        END AT TIME ZONE 'UTC' AS created_utc,
        CASE WHEN approvals.approved_before IS NULL THEN approvals.approved_at END
            AT TIME ZONE 'UTC' AS approved_utc,
        as_of AT TIME ZONE 'UTC' AS as_of_utc
    FROM brands
    CROSS JOIN data_as_of
    LEFT JOIN approvals ON approvals.brand_id = brands.id
    WHERE brands.deleted_at IS NULL
)

SELECT
    brand_id,
    brand_name,
    state,
    created_at,
    approved_at,
    CASE WHEN approved_utc >= created_utc
        THEN CAST(extract(epoch FROM approved_utc - created_utc) AS DOUBLE) / 3600
    END AS approval_hours,
    CASE WHEN state = 'pending' AND created_utc IS NOT NULL
        THEN greatest(
            CAST(extract(epoch FROM as_of_utc - created_utc) AS DOUBLE) / 3600, CAST(0 AS DOUBLE)
        )
    END AS waiting_hours,
    approved_at IS NOT NULL OR coalesce(state, '(none)') = 'pending' AS was_seen_waiting
FROM named
ORDER BY waiting_hours DESC NULLS LAST, approved_at DESC NULLS LAST, brand_id
