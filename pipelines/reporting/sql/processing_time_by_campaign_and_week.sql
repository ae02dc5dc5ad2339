-- One row per campaign and week of creation, newest week first, with the week before.
--
-- campaign_id: The campaign (campaigns.id).
-- created_week: The week's Monday (UTC); null for orders without a likely time of creation.
-- campaign_name: Its name, else its id.
-- brand_name: Its brand's name, else the brand's id.
-- use_case: Its use case; (none) where it has none.
--
-- On a terminal: created_week, campaign_name
@measures
key = campaign_id, created_week
labels = campaign_name, brand_name, use_case
period = created_week
order = created_week DESC NULLS LAST, orders DESC, campaign_id
