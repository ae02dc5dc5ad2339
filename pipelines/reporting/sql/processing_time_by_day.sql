-- One row per day of creation, oldest first.
--
-- created_day: The day (UTC); null for orders without a likely time of creation.
@measures
key = created_day
order = created_day
