-- One row per use case, slowest first.
--
-- use_case: The campaigns' use case; (none) for campaigns without one.
@measures
key = use_case
order = median_hours_all DESC NULLS FIRST, open DESC, use_case
