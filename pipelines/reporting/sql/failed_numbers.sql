-- One row per number whose assignment has failed, longest ago first. Empty unless runs load number assignments (setting number_assignments).
--
-- number_assignment_id: The assignment (number_assignments.id).
-- phone_number: The telephone number (E.164).
-- campaign_id: Its campaign (campaigns.id).
-- campaign_name: The campaign's name, else its id.
-- brand_name: The brand's name, else its id.
-- use_case: The campaign's use case, or (none).
-- created_at: When it was created (UTC).
-- failed_at: When it failed: its last change (UTC).
-- retries: How often runs have seen it leave the state failed before.
--
-- On a terminal: phone_number, campaign_name, failed_at, retries, brand_name
SELECT
    number_assignment_id,
    phone_number,
    campaign_id,
    campaign_name,
    brand_name,
    use_case,
    created_at,
    updated_at AS failed_at,
    retries
FROM number_processing
WHERE status = 'failed'
ORDER BY failed_at NULLS FIRST, number_assignment_id
