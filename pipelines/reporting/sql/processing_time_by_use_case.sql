-- One row per use case, slowest first.
--
-- use_case: The campaigns' use case; (none) for campaigns without one.
--
-- On a terminal: use_case
@measures
key = use_case
order = median_hours_all DESC NULLS FIRST, open DESC, use_case
