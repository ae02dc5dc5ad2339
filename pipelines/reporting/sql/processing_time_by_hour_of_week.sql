-- One row per weekday and hour of creation.
--
-- created_weekday: 1 for Monday to 7 for Sunday (UTC).
-- created_hour: The hour of the day, 0 to 23 (UTC).
@measures
key = created_weekday, created_hour
order = created_weekday, created_hour
