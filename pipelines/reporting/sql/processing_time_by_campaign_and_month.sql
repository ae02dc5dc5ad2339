-- One row per campaign and month of creation, newest month first, with the month before.
--
-- campaign_id: The campaign (campaigns.id).
-- created_month: The first day of the month (UTC); null for orders without a likely time of creation.
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case; (none) where it has none.
--
-- On a terminal: created_month, campaign_name
@measures
key = campaign_id, created_month
labels = campaign_name, brand_name, use_case
period = created_month
order = created_month DESC NULLS LAST, orders DESC, campaign_id
