-- One row per campaign: how long its registration took, or has been waiting; those that wait first.
--
-- campaign_id: The campaign (campaigns.id).
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case, or (none).
-- state: Its state in the API.
-- created_at: When it was created (UTC).
-- approved_at: When it became active, if runs have seen it in another state before (UTC).
-- approval_hours: From created to approved; the vendor says 3 to 5 business days.
-- waiting_hours: From created until now (see data_as_of), of campaigns that are pending.
-- was_seen_waiting: Whether runs have seen it in a state before its present one, or it is waiting; else no time is known.
--
-- On a terminal: campaign_name, state, waiting_hours, approval_hours, approved_at
WITH seen AS (
    SELECT
        campaign_id,
        state,
        seen_at,
        -- no change is older than 10DLC, or younger than its first reading
        CASE WHEN updated_at BETWEEN calendar_start AND seen_at THEN updated_at ELSE seen_at END
            AS since,
        row_number() OVER (PARTITION BY campaign_id ORDER BY seen_at, updated_at, state) AS position
    FROM campaign_changes
    CROSS JOIN data_as_of
    WHERE deleted_at IS NULL
),

approvals AS (
    SELECT
        campaign_id,
        -- what was active when it was seen first became so at a time that is not known
        min(CASE WHEN state = 'active' AND position > 1 THEN since END) AS approved_at,
        min(CASE WHEN state = 'active' AND position = 1 THEN since END) AS approved_before
    FROM seen
    GROUP BY campaign_id
),

named AS (
    SELECT
        campaigns.id AS campaign_id,
        coalesce(campaigns.name, campaigns.id) AS campaign_name,
        coalesce(brands.name, campaigns.brand_id) AS brand_name,
        coalesce(campaigns.sms_use_case, '(none)') AS use_case,
        campaigns.state,
        campaigns.created_at,
        CASE WHEN approvals.approved_before IS NULL THEN approvals.approved_at END AS approved_at,
        CASE
            WHEN campaigns.created_at BETWEEN calendar_start AND calendar_end THEN campaigns.created_at
        END AT TIME ZONE 'UTC' AS created_utc,
        CASE WHEN approvals.approved_before IS NULL THEN approvals.approved_at END
            AT TIME ZONE 'UTC' AS approved_utc,
        as_of AT TIME ZONE 'UTC' AS as_of_utc
    FROM campaigns
    CROSS JOIN data_as_of
    LEFT JOIN approvals ON approvals.campaign_id = campaigns.id
    LEFT JOIN brands ON brands.id = campaigns.brand_id
    WHERE campaigns.deleted_at IS NULL
)

SELECT
    campaign_id,
    campaign_name,
    brand_name,
    use_case,
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
ORDER BY waiting_hours DESC NULLS LAST, approved_at DESC NULLS LAST, campaign_id
