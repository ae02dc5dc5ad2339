-- One row: the latest run that loaded, complete or not. With shards, one row each.
--
-- run_id: The run (runs.run_id).
-- shard: Which part of the brands it read, from 1; 1 of 1 if all.
-- shards: The number of parts.
-- complete: Whether it could read everything requested.
-- read_at: When it had read everything, by the server's clock (UTC).
--
-- On a terminal: run_id, complete, read_at, shard
WITH parts AS (
    SELECT
        run_id,
        coalesce(shard, 1) AS shard,
        coalesce(shards, 1) AS shards,
        complete,
        read_at
    FROM runs
    -- one that failed has its row from a later one, and brought no data
    WHERE read_at IS NOT NULL
),

ranked AS (
    SELECT
        run_id,
        shard,
        shards,
        complete,
        read_at,
        rank() OVER (PARTITION BY shards, shard ORDER BY read_at DESC) AS place,
        first_value(shards) OVER (ORDER BY read_at DESC, run_id) AS newest_shards
    FROM parts
)

SELECT
    run_id,
    shard,
    shards,
    complete,
    read_at
FROM ranked
WHERE place = 1 AND shards = newest_shards
