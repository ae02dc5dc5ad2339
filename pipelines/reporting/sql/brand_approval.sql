-- One row per brand: how long its registration took, or has been waiting; those that wait first. Approved ones are completed.
--
-- brand_id: The brand (brands.id).
-- brand_name: Its name, else its id.
--
-- On a terminal: brand_name
@approval
kind = brand
approved = completed
