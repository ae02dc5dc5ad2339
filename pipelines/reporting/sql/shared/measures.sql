{# What a report gives: the key that orders are grouped by (one row of all without one), the labels
   of the key, further columns, and the order of the rows. With a period, which is the last part of
   the key, some measures of the period before stand beside. #}
{% set key, labels, columns = key | default(""), labels | default(""), columns | default("") %}
{% set order, period = order | default(""), period | default("") %}
{% set partition = "PARTITION BY " ~ key if key else "" %}
{% if period %}
    {# the period as a number, and how much less the one before has #}
    {% set number, step = {
        "created_week": ("extract(epoch FROM CAST(created_week AS TIMESTAMP))", 7 * 86400),
        "created_month":
            ("(extract(year FROM created_month) * 12 + extract(month FROM created_month))", 1),
    }[period] %}
    {% set others = key.split(", ")[:-1] | join(", ") %}
    {% set window = ("PARTITION BY " ~ others ~ " " if others else "") ~ "ORDER BY " ~ period %}
{% endif %}
-- The measures of a group of orders, one row per key.
--
-- orders: All orders.
-- processed: Processed orders.
-- open: Waiting orders: neither processed nor failed nor deleted.
-- failed: Failed orders, which may still become processed.
-- deleted: Orders deleted before they were processed.
-- median_hours: Median processing time of processed orders. It flatters while others wait.
-- p75_hours: 75 % of processed orders took no longer.
-- p90_hours: 90 % of processed orders took no longer.
-- p95_hours: 95 % of processed orders took no longer.
-- p99_hours: 99 % of processed orders took no longer.
-- mean_hours: Mean processing time of processed orders.
-- max_hours: The longest processing time.
-- median_hours_all: Median over all orders, including waiting ones (Kaplan-Meier); null while fewer than half are processed.
-- p90_hours_all: The time within which 90 % of all orders are processed, likewise.
-- share_censored: Share of orders without a known processing time, 0 to 1.
-- share_within_target: Share processed as promised (order_processing.promised_hours), of those old enough to tell, 0 to 1.
{% if period %}
-- orders_before: All orders of the period before, if there were any.
-- median_hours_all_before: median_hours_all of the period before.
-- p90_hours_all_before: p90_hours_all of the period before.
-- share_within_target_before: share_within_target of the period before.
{% endif %}
--
-- On a terminal: orders, median_hours_all, open, share_within_target, p90_hours_all, processed, failed
WITH ranks AS (
    SELECT
        {% if key %}
        {{ key }},
        {% endif %}
        observed_hours,
        status,
        -- orders processed after the same time come before those still waiting then
        row_number() OVER (
            {{ partition }} ORDER BY observed_hours, CASE WHEN status = 'processed' THEN 0 ELSE 1 END
        ) AS position,
        count(*) OVER ({{ partition }}) AS orders
    FROM order_processing
    WHERE observed_hours IS NOT NULL
),

-- Kaplan and Meier's product, as a sum of logarithms
curve AS (
    SELECT
        {% if key %}
        {{ key }},
        {% endif %}
        observed_hours,
        sum(
            CASE
                WHEN status <> 'processed' THEN 0
                WHEN position < orders THEN ln(1 - 1 / CAST(orders - position + 1 AS DOUBLE))
                ELSE -100
            END
        ) OVER (
            {{ partition }} ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS log_share_waiting
    FROM ranks
),

-- a hair above the logarithms of 0.5 and 0.1: a sum of logarithms may end beside them
quantiles AS (
    SELECT
        {% if key %}
        {{ key }},
        {% endif %}
        min(CASE WHEN log_share_waiting <= -0.693147180559 THEN observed_hours END)
            AS median_hours_all,
        min(CASE WHEN log_share_waiting <= -2.302585092993 THEN observed_hours END)
            AS p90_hours_all
    FROM curve
    {% if key %}
    GROUP BY {{ key }}
    {% endif %}
),

measures AS (
    SELECT
        {% if key %}
        {{ key }},
        {% endif %}
        {% for name in labels.split(", ") if name %}
        max({{ name }}) AS {{ name }},
        {% endfor %}
        count(*) AS orders,
        count(CASE WHEN status = 'processed' THEN 1 END) AS processed,
        count(CASE WHEN status = 'open' THEN 1 END) AS open,
        count(CASE WHEN status = 'failed' THEN 1 END) AS failed,
        count(CASE WHEN status = 'deleted' THEN 1 END) AS deleted,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY processing_hours) AS median_hours,
        percentile_cont(0.75) WITHIN GROUP (ORDER BY processing_hours) AS p75_hours,
        percentile_cont(0.9) WITHIN GROUP (ORDER BY processing_hours) AS p90_hours,
        percentile_cont(0.95) WITHIN GROUP (ORDER BY processing_hours) AS p95_hours,
        percentile_cont(0.99) WITHIN GROUP (ORDER BY processing_hours) AS p99_hours,
        avg(processing_hours) AS mean_hours,
        max(processing_hours) AS max_hours,
        CAST(count(CASE WHEN status <> 'processed' THEN observed_hours END) AS DOUBLE)
            / nullif(count(observed_hours), 0) AS share_censored,
        CAST(count(CASE WHEN within_target THEN 1 END) AS DOUBLE)
            / nullif(count(within_target), 0) AS share_within_target
    FROM order_processing
    {% if key %}
    GROUP BY {{ key }}
    {% endif %}
)

SELECT
    {{ [key, labels, columns] | select | join(", ") }},
    orders,
    processed,
    open,
    failed,
    deleted,
    median_hours,
    p75_hours,
    p90_hours,
    p95_hours,
    p99_hours,
    mean_hours,
    max_hours,
    median_hours_all,
    p90_hours_all,
    share_censored,
    share_within_target
    {%- for measure in ("orders", "median_hours_all", "p90_hours_all", "share_within_target")
        if period %},
    CASE
        WHEN lag({{ number }}) OVER ({{ window }}) = {{ number }} - {{ step }}
            THEN lag({{ measure }}) OVER ({{ window }})
    END AS {{ measure }}_before
    {%- endfor %}

FROM measures
{% if key %}
LEFT JOIN quantiles USING ({{ key }})
{% else %}
CROSS JOIN quantiles
{% endif %}
{% if order %}
ORDER BY {{ order }}
{% endif %}
