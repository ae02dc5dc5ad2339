-- One row per campaign and measure that rose in the last 28 days beyond what chance explains, clearest first. Compared are the 84 days before; docs/reports.md states the test.
--
-- campaign_id: The campaign (campaigns.id).
-- campaign_name: Its name, else its id.
-- brand_id: Its brand (brands.id).
-- brand_name: The brand's name, else its id.
-- use_case: The campaign's use case, or (none).
-- measure: median or p90.
-- hours_before: The measure in the 84 days before: the median, or the time that 90 % took no longer than. A waiting order counts with its wait.
-- hours_now: The same of the last 28 days, of orders created at least hours_before ago.
-- share_slower_before: Share of the orders before that took longer than hours_before, 0 to 1.
-- share_slower_now: The same share of the last 28 days, 0 to 1.
-- orders_before: Orders before that were compared.
-- orders_now: Orders of the last 28 days that were compared.
-- worse_since: The Monday of the week from which the difference is largest (UTC).
-- chance: The probability of such a rise by chance (p-value, one-sided).
--
-- On a terminal: campaign_name, measure, hours_before, hours_now, worse_since, orders_now, brand_name
WITH placed AS (
    SELECT
        campaign_id,
        created_day,
        created_week,
        observed_hours,
        CASE WHEN age_in_hours <= 28 * 24 THEN 1 ELSE 0 END AS is_now,
        age_in_hours
    FROM (
        SELECT
            *,
            CAST(
                extract(
                    epoch FROM (as_of AT TIME ZONE 'UTC') - (created_at AT TIME ZONE 'UTC')
                ) AS DOUBLE
            ) / 3600 AS age_in_hours
        FROM order_processing
        CROSS JOIN data_as_of
        -- when a deleted one would have been processed is not known
        WHERE created_day IS NOT NULL AND observed_hours IS NOT NULL AND status <> 'deleted'
    ) AS aged
    WHERE age_in_hours BETWEEN 0 AND 112 * 24
),

usual AS (
    SELECT
        campaign_id,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY observed_hours) AS median_hours,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY observed_hours) AS p90_hours
    FROM placed
    WHERE is_now = 0
    GROUP BY campaign_id
),

limits AS (
    SELECT campaign_id, 'median' AS measure, median_hours AS hours_before FROM usual
    UNION ALL
    SELECT campaign_id, 'p90', p90_hours FROM usual
),

-- what is younger than the limit cannot be judged, whether it is done or not
judged AS (
    SELECT
        placed.campaign_id,
        placed.created_day,
        placed.created_week,
        placed.observed_hours,
        placed.is_now,
        limits.measure,
        limits.hours_before,
        CASE WHEN observed_hours > hours_before THEN 1 ELSE 0 END AS is_slower
    FROM placed
    JOIN limits ON limits.campaign_id = placed.campaign_id
    WHERE age_in_hours > hours_before
),

hours_now AS (
    SELECT
        campaign_id,
        measure,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY CASE WHEN is_now = 1 THEN observed_hours END)
            AS median_now,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY CASE WHEN is_now = 1 THEN observed_hours END)
            AS p90_now
    FROM judged
    GROUP BY campaign_id, measure
),

-- orders of a day share its fate: the days are what is independent
days AS (
    SELECT
        *,
        sum(slower) OVER (PARTITION BY campaign_id, measure)
            / sum(orders) OVER (PARTITION BY campaign_id, measure) AS share_of_both,
        sum(slower) OVER (PARTITION BY campaign_id, measure, is_now)
            / sum(orders) OVER (PARTITION BY campaign_id, measure, is_now) AS share
    FROM (
        SELECT
            campaign_id,
            measure,
            is_now,
            created_day,
            max(created_week) AS created_week,
            max(hours_before) AS hours_before,
            CAST(count(*) AS DOUBLE) AS orders,
            CAST(sum(is_slower) AS DOUBLE) AS slower
        FROM judged
        GROUP BY campaign_id, measure, is_now, created_day
    ) AS counted
),

pairs AS (
    SELECT
        campaign_id,
        measure,
        max(hours_before) AS hours_before,
        max(share_of_both) AS share_of_both,
        max(CASE WHEN is_now = 0 THEN share END) AS share_slower_before,
        max(CASE WHEN is_now = 1 THEN share END) AS share_slower_now,
        sum(CASE WHEN is_now = 0 THEN orders END) AS orders_before,
        sum(CASE WHEN is_now = 1 THEN orders END) AS orders_now,
        CAST(count(CASE WHEN is_now = 0 THEN 1 END) AS DOUBLE) AS days_before,
        CAST(count(CASE WHEN is_now = 1 THEN 1 END) AS DOUBLE) AS days_now,
        sum(CASE WHEN is_now = 0 THEN (slower - share * orders) * (slower - share * orders) END)
            AS scatter_before,
        sum(CASE WHEN is_now = 1 THEN (slower - share * orders) * (slower - share * orders) END)
            AS scatter_now
    FROM days
    GROUP BY campaign_id, measure
),

-- not less than if all orders were independent, which few days can hide
variances AS (
    SELECT
        *,
        greatest(
            days_before / (days_before - 1) * scatter_before / (orders_before * orders_before),
            share_of_both * (1 - share_of_both) / orders_before
        ) AS variance_before,
        greatest(
            days_now / (days_now - 1) * scatter_now / (orders_now * orders_now),
            share_of_both * (1 - share_of_both) / orders_now
        ) AS variance_now
    FROM pairs
    WHERE share_of_both > 0 AND share_of_both < 1
        AND days_before >= 10 AND days_now >= 10
        AND least(orders_before, orders_now) >= CASE WHEN measure = 'median' THEN 20 ELSE 50 END
),

-- Welch's t with Satterthwaite's degrees of freedom
tests AS (
    SELECT
        *,
        greatest(
            (share_slower_now - share_slower_before) / sqrt(variance_before + variance_now),
            CAST(0 AS DOUBLE)
        ) AS t,
        (variance_before + variance_now) * (variance_before + variance_now)
            / (
                variance_before * variance_before / (days_before - 1)
                + variance_now * variance_now / (days_now - 1)
            ) AS freedom
    FROM variances
),

-- Wallace's normal score of t, over the square root of 2
scores AS (
    SELECT
        *,
        (8 * freedom + 1) / (8 * freedom + 3)
            * sqrt(freedom * ln(1 + t * t / freedom)) / sqrt(2) AS score
    FROM tests
),

-- the normal distribution's upper tail: a polynomial that is right to seven digits
chances AS (
    SELECT
        *,
        0.5 * x * exp(
            -score * score - 1.26551223 + x * (1.00002368 + x * (0.37409196 + x * (0.09678418
            + x * (-0.18628806 + x * (0.27886807 + x * (-1.13520398 + x * (1.48851587
            + x * (-0.82215223 + x * 0.17087277))))))))
        ) AS chance
    FROM (SELECT *, 1 / (1 + 0.5 * score) AS x FROM scores) AS points
),

-- Benjamini and Hochberg: of all that are named, 5 % are expected to be chance
ranked AS (
    SELECT
        *,
        row_number() OVER (ORDER BY chance, campaign_id, measure) AS place,
        count(*) OVER () AS comparisons
    FROM chances
),

named AS (
    SELECT
        *,
        max(CASE WHEN chance <= 0.05 * place / comparisons THEN place END) OVER () AS last_place
    FROM ranked
),

-- where the sum of what is beyond the mean share turns: the likeliest week of a lasting change
weeks AS (
    SELECT
        campaign_id,
        measure,
        created_week,
        sum(slower_than_mean) OVER (PARTITION BY campaign_id, measure ORDER BY created_week)
            AS beyond
    FROM (
        SELECT
            campaign_id,
            measure,
            created_week,
            sum(slower - share_of_both * orders) AS slower_than_mean
        FROM days
        GROUP BY campaign_id, measure, created_week
    ) AS summed
),

-- joined last: with each order they would take memory
names AS (
    SELECT
        campaign_id,
        max(campaign_name) AS campaign_name,
        max(brand_id) AS brand_id,
        max(brand_name) AS brand_name,
        max(use_case) AS use_case
    FROM order_processing
    GROUP BY campaign_id
),

turns AS (
    SELECT
        campaign_id,
        measure,
        lead(created_week) OVER (PARTITION BY campaign_id, measure ORDER BY created_week)
            AS week_after,
        row_number() OVER (PARTITION BY campaign_id, measure ORDER BY beyond, created_week) AS place
    FROM weeks
)

SELECT
    named.campaign_id,
    names.campaign_name,
    names.brand_id,
    names.brand_name,
    names.use_case,
    named.measure,
    named.hours_before,
    CASE WHEN named.measure = 'median' THEN hours_now.median_now ELSE hours_now.p90_now END
        AS hours_now,
    named.share_slower_before,
    named.share_slower_now,
    CAST(named.orders_before AS BIGINT) AS orders_before,
    CAST(named.orders_now AS BIGINT) AS orders_now,
    turns.week_after AS worse_since,
    named.chance
FROM named
JOIN names ON names.campaign_id = named.campaign_id
JOIN hours_now ON hours_now.campaign_id = named.campaign_id AND hours_now.measure = named.measure
LEFT JOIN turns
    ON turns.campaign_id = named.campaign_id AND turns.measure = named.measure AND turns.place = 1
WHERE named.place <= named.last_place
ORDER BY named.chance, named.campaign_id, named.measure
