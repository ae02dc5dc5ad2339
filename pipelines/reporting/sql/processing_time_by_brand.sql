-- One row per brand, slowest first.
--
-- brand_id: The brand (brands.id).
-- brand_name: Its name, else its id.
@measures
key = brand_id
labels = brand_name
order = median_hours_all DESC NULLS FIRST, open DESC, brand_id
