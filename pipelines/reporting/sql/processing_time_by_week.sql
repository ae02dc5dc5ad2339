-- One row per week of creation, oldest first.
--
-- created_week: The week's Monday (UTC); null for orders without a likely time of creation.
@measures
key = created_week
order = created_week
