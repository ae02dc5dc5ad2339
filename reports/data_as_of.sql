-- One row: the moment that every report calls now, so that a report can be repeated.
--
-- as_of: When the newest complete run had read everything, by the server's clock (UTC).
-- last_run_at: The same of the newest run, complete or not (UTC).
-- last_run_complete: Whether the newest run could read everything it was asked for.
WITH moments AS (
    SELECT
        -- a run limited to some campaigns says nothing of the others
        coalesce(
            max(CASE WHEN complete AND narrowed_to IS NULL THEN read_at END),
            max(CASE WHEN complete THEN read_at END),
            max(read_at)
        ) AS as_of,
        max(read_at) AS last_run_at,
        max(CASE WHEN complete THEN read_at END) AS last_complete_at
    FROM runs
)

SELECT
    as_of,
    last_run_at,
    coalesce(last_complete_at = last_run_at, FALSE) AS last_run_complete
FROM moments
