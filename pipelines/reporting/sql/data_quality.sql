-- One row per data check, worst first: the number of rows that fail it.
--
-- check_name: The check.
-- severity: error, warning or information, for any row that fails.
-- count: Rows that fail; 0 is good.
-- meaning: What that means for the reports.
--
-- On a terminal: check_name, count, severity
WITH order_checks AS (
    SELECT
        count(CASE WHEN status = 'processed' AND processed_at IS NULL THEN 1 END) AS untimed,
        count(CASE WHEN status = 'processed' AND processed_at < created_at THEN 1 END) AS negative,
        count(
            CASE WHEN state IS NULL OR state NOT IN ('pending', 'processing', 'processed', 'failed')
                THEN 1
            END
        ) AS unknown_state,
        count(CASE WHEN created_at IS NULL OR updated_at IS NULL THEN 1 END) AS undated,
        -- orders of a newer run that could not read everything are younger than as_of
        count(
            CASE WHEN created_at > last_run_at OR updated_at > last_run_at
                    OR processed_at > last_run_at
                THEN 1
            END
        ) AS in_the_future,
        count(
            CASE WHEN created_at < calendar_start OR updated_at < calendar_start
                    OR processed_at < calendar_start
                THEN 1
            END
        ) AS too_early,
        count(CASE WHEN updated_at < created_at THEN 1 END) AS backwards,
        count(CASE WHEN campaign_name = campaign_id THEN 1 END) AS unnamed
    FROM order_processing
    CROSS JOIN data_as_of
),

checks AS (
    SELECT 'processed without processed_at' AS check_name, 'warning' AS severity,
        untimed AS count, 'no processing time is known of them' AS meaning
    FROM order_checks
    UNION ALL
    SELECT 'processed before they were created', 'warning', negative,
        'they are left out of processing times'
    FROM order_checks
    UNION ALL
    SELECT 'in an unknown state', 'information', unknown_state, 'they count as open'
    FROM order_checks
    UNION ALL
    SELECT 'without created_at or updated_at', 'warning', undated, 'no age is known of them'
    FROM order_checks
    UNION ALL
    SELECT 'dated in the future', 'warning', in_the_future,
        'their age counts as zero; a time a day ahead or more counts as missing'
    FROM order_checks
    UNION ALL
    SELECT 'dated before 10DLC existed', 'warning', too_early, 'such a time counts as missing'
    FROM order_checks
    UNION ALL
    SELECT 'changed before they were created', 'warning', backwards,
        'where that time counts, the time of creation does instead'
    FROM order_checks
    UNION ALL
    SELECT 'of a campaign that is not loaded', 'information', unnamed,
        'they are shown with the id of their campaign'
    FROM order_checks
    UNION ALL
    SELECT 'records rejected', 'warning', (SELECT count(*) FROM rejected),
        'see the table rejected'
    UNION ALL
    SELECT 'campaigns listed under several brands', 'warning',
        (
            SELECT count(DISTINCT record_id) FROM rejected
            WHERE table_name = 'campaigns'
                AND reason LIKE 'listed under more than one brand%'
                AND run_id IN (SELECT run_id FROM newest_runs)
        ),
        'each counts as one of the brand with the smallest id'
    UNION ALL
    SELECT 'lists the newest run could not read', 'error',
        (SELECT count(*) FROM campaign_failures WHERE run_id IN (SELECT run_id FROM newest_runs)),
        'their orders are older than the rest; see campaign_failures'
    UNION ALL
    SELECT 'promises for nothing that is loaded', 'warning',
        (
            SELECT count(*)
            FROM promises
            LEFT JOIN (
                SELECT DISTINCT
                    coalesce(promises.campaign_id, '') AS campaign_id,
                    coalesce(promises.brand_id, '') AS brand_id,
                    coalesce(promises.use_case, '') AS use_case,
                    promises.since,
                    1 AS is_meant
                FROM promises
                CROSS JOIN campaigns
                WHERE coalesce(promises.campaign_id, campaigns.id) = campaigns.id
                    AND coalesce(promises.brand_id, campaigns.brand_id) = campaigns.brand_id
                    AND lower(coalesce(promises.use_case, campaigns.sms_use_case, ''))
                        = lower(coalesce(campaigns.sms_use_case, ''))
            ) AS meant
                ON meant.campaign_id = coalesce(promises.campaign_id, '')
                AND meant.brand_id = coalesce(promises.brand_id, '')
                AND meant.use_case = coalesce(promises.use_case, '')
                AND meant.since = promises.since
            WHERE promises.priority > 0 AND meant.is_meant IS NULL
        ),
        'no campaign is meant by them: see the settings reports.sla and the report promises'
    UNION ALL
    SELECT 'no complete run', 'error',
        (SELECT count(*) FROM data_as_of WHERE as_of IS NULL), 'nothing can be said yet'
)

SELECT
    check_name,
    severity,
    count,
    meaning
FROM checks
ORDER BY
    CASE
        WHEN count = 0 THEN 3
        WHEN severity = 'error' THEN 0
        WHEN severity = 'warning' THEN 1
        ELSE 2
    END,
    check_name
