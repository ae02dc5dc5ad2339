-- One row per month of creation, oldest first, with the month before.
--
-- created_month: The first day of the month (UTC); null for orders without a likely time of creation.
--
-- On a terminal: created_month
@measures
key = created_month
period = created_month
order = created_month
