-- One row per brand and week of creation, newest week first, with the week before.
--
-- brand_id: The brand (brands.id).
-- created_week: The week's Monday (UTC); null for orders without a likely time of creation.
-- brand_name: Its name, else its id.
--
-- On a terminal: created_week, brand_name
@measures
key = brand_id, created_week
labels = brand_name
period = created_week
order = created_week DESC NULLS LAST, orders DESC, brand_id
