-- One row per week of creation, oldest first, with the week before.
--
-- created_week: The week's Monday (UTC); null for orders without a likely time of creation.
--
-- On a terminal: created_week
@measures
key = created_week
period = created_week
order = created_week
