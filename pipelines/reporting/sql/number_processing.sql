-- One row per number assignment: how long until the number could send, or how long it has been waiting. Empty unless runs load number assignments (setting number_assignments).
--
-- number_assignment_id: The assignment (number_assignments.id).
-- phone_number: The telephone number (E.164).
-- campaign_id: Its campaign (campaigns.id).
-- campaign_name: The campaign's name, else its id.
-- brand_id: Its brand (brands.id).
-- brand_name: The brand's name, else its id.
-- use_case: The campaign's use case, or (none).
-- state: The assignment's state in the API.
-- status: completed, failed (which may still become pending again), deleted or waiting.
-- created_at: When it was created (UTC).
-- updated_at: When it last changed (UTC).
-- completed_at: When it was completed first, as far as runs have seen (UTC); null until then.
-- hours_to_usable: From created to completed; null unless both are known, plausible and in that order.
-- waiting_hours: How long it has been waiting, of those that were never completed; until it was deleted, or until now (see data_as_of).
-- observed_hours: hours_to_usable, or waiting_hours.
-- retries: How often runs have seen it leave the state failed.
--
-- On a terminal: phone_number, status, campaign_name, hours_to_usable, waiting_hours, retries
WITH seen AS (
    SELECT
        number_assignment_id,
        state,
        -- no change is older than 10DLC, or younger than its first reading
        CASE WHEN updated_at BETWEEN calendar_start AND seen_at THEN updated_at ELSE seen_at END
            AS since,
        lead(coalesce(state, '(none)')) OVER (
            PARTITION BY number_assignment_id ORDER BY seen_at, updated_at, state
        ) AS state_after
    FROM number_assignment_changes
    CROSS JOIN data_as_of
    WHERE deleted_at IS NULL
),

histories AS (
    SELECT
        number_assignment_id,
        min(CASE WHEN state = 'completed' THEN since END) AS completed_at,
        count(CASE WHEN state = 'failed' AND state_after <> 'failed' THEN 1 END) AS retries
    FROM seen
    GROUP BY number_assignment_id
),

named AS (
    SELECT
        number_assignments.id AS number_assignment_id,
        number_assignments.phone_number__number AS phone_number,
        number_assignments.campaign_id,
        coalesce(campaigns.name, number_assignments.campaign_id) AS campaign_name,
        number_assignments.brand_id,
        coalesce(brands.name, number_assignments.brand_id) AS brand_name,
        coalesce(campaigns.sms_use_case, '(none)') AS use_case,
        number_assignments.state,
        CASE
            WHEN number_assignments.deleted_at IS NOT NULL THEN 'deleted'
            WHEN number_assignments.state IN ('completed', 'failed') THEN number_assignments.state
            ELSE 'waiting'
        END AS status,
        number_assignments.created_at,
        number_assignments.updated_at,
        histories.completed_at,
        coalesce(histories.retries, 0) AS retries,
        CASE
            WHEN number_assignments.created_at BETWEEN calendar_start AND calendar_end
                THEN number_assignments.created_at
        END AT TIME ZONE 'UTC' AS created_utc,
        histories.completed_at AT TIME ZONE 'UTC' AS completed_utc,
        coalesce(number_assignments.deleted_at, as_of) AT TIME ZONE 'UTC' AS waited_utc
    FROM number_assignments
    CROSS JOIN data_as_of
    LEFT JOIN histories ON histories.number_assignment_id = number_assignments.id
    LEFT JOIN campaigns ON campaigns.id = number_assignments.campaign_id
    LEFT JOIN brands ON brands.id = number_assignments.brand_id
),

timed AS (
    SELECT
        *,
        CASE WHEN completed_utc >= created_utc
            THEN CAST(extract(epoch FROM completed_utc - created_utc) AS DOUBLE) / 3600
        END AS hours_to_usable,
        CASE WHEN completed_at IS NULL AND created_utc IS NOT NULL
            THEN greatest(
                CAST(extract(epoch FROM waited_utc - created_utc) AS DOUBLE) / 3600,
                CAST(0 AS DOUBLE)
            )
        END AS waiting_hours
    FROM named
)

SELECT
    number_assignment_id,
    phone_number,
    campaign_id,
    campaign_name,
    brand_id,
    brand_name,
    use_case,
    state,
    status,
    created_at,
    updated_at,
    completed_at,
    hours_to_usable,
    waiting_hours,
    coalesce(hours_to_usable, waiting_hours) AS observed_hours,
    retries
FROM timed
