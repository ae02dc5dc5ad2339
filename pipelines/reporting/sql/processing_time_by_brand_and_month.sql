-- One row per brand and month of creation, newest month first, with the month before.
--
-- brand_id: The brand (brands.id).
-- created_month: The first day of the month (UTC); null for orders without a likely time of creation.
-- brand_name: Its name, else its id.
--
-- On a terminal: created_month, brand_name
@measures
key = brand_id, created_month
labels = brand_name
period = created_month
order = created_month DESC NULLS LAST, orders DESC, brand_id
