-- One row per campaign, slowest first.
--
-- campaign_id: The campaign (campaigns.id).
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case; (none) where it has none.
@measures
key = campaign_id
labels = campaign_name, brand_name, use_case
order = median_hours_all DESC NULLS FIRST, open DESC, campaign_id
