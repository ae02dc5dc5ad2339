-- One row per campaign: how many of its numbers can send, lowest share first. Empty unless runs load number assignments (setting number_assignments).
--
-- campaign_id: The campaign (campaigns.id).
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case, or (none).
-- campaign_state: Its state: numbers of one that is not active cannot send.
-- numbers: Numbers assigned or being assigned, without deleted ones.
-- completed: Of these, those whose assignment is completed.
-- waiting: Neither completed nor failed.
-- failed: Failed, which may still become pending again.
-- share_usable: completed of numbers, 0 to 1; null without numbers.
-- number_limit: The most numbers without number pooling, 49; null with pooling.
-- numbers_left: How many more it can take; null with pooling.
--
-- On a terminal: campaign_name, numbers, completed, waiting, failed, share_usable, numbers_left
WITH counts AS (
    SELECT
        campaign_id,
        max(brand_name) AS brand_name,
        count(*) AS numbers,
        count(CASE WHEN status = 'completed' THEN 1 END) AS completed,
        count(CASE WHEN status = 'waiting' THEN 1 END) AS waiting,
        count(CASE WHEN status = 'failed' THEN 1 END) AS failed
    FROM number_processing
    WHERE status <> 'deleted'
    GROUP BY campaign_id
),

keys AS (
    SELECT campaign_id FROM counts
    UNION
    -- where none are loaded, no campaign is known to have none
    SELECT id AS campaign_id FROM campaigns
    WHERE deleted_at IS NULL AND (SELECT count(*) FROM number_assignments) > 0
),

placed AS (
    SELECT
        keys.campaign_id,
        coalesce(campaigns.name, keys.campaign_id) AS campaign_name,
        coalesce(brands.name, campaigns.brand_id, counts.brand_name) AS brand_name,
        coalesce(campaigns.sms_use_case, '(none)') AS use_case,
        campaigns.state AS campaign_state,
        coalesce(counts.numbers, 0) AS numbers,
        coalesce(counts.completed, 0) AS completed,
        coalesce(counts.waiting, 0) AS waiting,
        coalesce(counts.failed, 0) AS failed,
        CASE WHEN coalesce(campaigns.number_pooling_required, FALSE) THEN NULL ELSE 49 END
            AS number_limit
    FROM keys
    LEFT JOIN counts ON counts.campaign_id = keys.campaign_id
    LEFT JOIN campaigns ON campaigns.id = keys.campaign_id
    LEFT JOIN brands ON brands.id = campaigns.brand_id
)

SELECT
    campaign_id,
    campaign_name,
    brand_name,
    use_case,
    campaign_state,
    numbers,
    completed,
    waiting,
    failed,
    CAST(completed AS DOUBLE) / nullif(numbers, 0) AS share_usable,
    number_limit,
    number_limit - numbers AS numbers_left
FROM placed
ORDER BY share_usable NULLS LAST, numbers DESC, campaign_id
