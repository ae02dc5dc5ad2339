-- One row per target: hours within which an order should be processed (setting reports.sla_hours).
--
-- target_hours: The target in hours.
-- is_main: Whether it is the one that within_target means (setting reports.main_sla_hours).
SELECT
    CAST(target_hours AS DOUBLE) AS target_hours,
    is_main
FROM (VALUES (1.0, FALSE), (4.0, FALSE), (24.0, TRUE), (48.0, FALSE)) AS t (target_hours, is_main)
