-- One row per campaign: how long its registration took, or has been waiting; those that wait first. Approved ones are active.
--
-- campaign_id: The campaign (campaigns.id).
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case, or (none).
--
-- On a terminal: campaign_name
@approval
kind = campaign
approved = active
labels = brand_name, use_case,
named = coalesce(brands.name, campaigns.brand_id) AS brand_name, coalesce(campaigns.sms_use_case, '(none)') AS use_case,
join = LEFT JOIN brands ON brands.id = campaigns.brand_id
