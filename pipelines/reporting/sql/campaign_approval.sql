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
