-- One row: the moment that every report calls now, so that a report can be repeated, and the limits of plausible times.
--
-- as_of: When the latest complete run (of shards: the oldest) had read everything, server time (UTC).
-- last_run_at: The same of the latest run that loaded, complete or not (UTC).
-- last_run_complete: Whether the latest run that loaded (of each shard) could read everything requested.
-- calendar_start: Earlier times count as missing: there was no 10DLC (UTC).
-- calendar_end: Later times count as missing too: a day after the latest run (UTC).
WITH whole AS (
    SELECT
        coalesce(shards, 1) AS shards,
        coalesce(shard, 1) AS shard,
        max(read_at) AS read_at
    FROM runs
    -- a run limited to some campaigns says nothing about the others
    WHERE complete AND narrowed_to IS NULL
    GROUP BY coalesce(shards, 1), coalesce(shard, 1)
),

layouts AS (
    SELECT min(read_at) AS as_of FROM whole GROUP BY shards HAVING count(*) = shards
),

moments AS (
    SELECT
        max(CASE WHEN complete THEN read_at END) AS last_complete_at,
        max(read_at) AS last_run_at
    FROM runs
)

SELECT
    coalesce((SELECT max(as_of) FROM layouts), last_complete_at, last_run_at) AS as_of,
    last_run_at,
    coalesce(
        (SELECT min(CASE WHEN complete THEN 1 ELSE 0 END) FROM newest_runs) = 1, FALSE
    ) AS last_run_complete,
    -- The Campaign Registry took no 10DLC registrations before
    CAST('2019-01-01 00:00:00+00:00' AS TIMESTAMPTZ) AS calendar_start,
    -- clocks differ, and the newest run may have loaded orders that are younger than as_of
    last_run_at + INTERVAL '24' HOUR AS calendar_end
FROM moments
