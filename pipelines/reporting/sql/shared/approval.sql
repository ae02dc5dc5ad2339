{# What a report gives: the kind, brand or campaign, and the state that is called approved. #}
-- How long the registration of brands or campaigns took, one row each.
--
-- state: Its state in the API.
-- created_at: When it was created (UTC).
-- approved_at: When it was approved, if runs have seen it in another state before (UTC).
-- approval_hours: From created to approved; the vendor says 3 to 5 business days.
-- waiting_hours: From created until now (see data_as_of), while it is pending.
-- was_seen_waiting: Whether runs have seen it in a state before its present one, or it is waiting; else no time is known.
--
-- On a terminal: state, waiting_hours, approval_hours, approved_at
WITH seen AS (
    SELECT
        {{ kind }}_id,
        state,
        seen_at,
        -- no change is older than 10DLC, or younger than its first reading
        CASE WHEN updated_at BETWEEN calendar_start AND seen_at THEN updated_at ELSE seen_at END
            AS since,
        row_number() OVER (PARTITION BY {{ kind }}_id ORDER BY seen_at, updated_at, state) AS position
    FROM {{ kind }}_changes
    CROSS JOIN data_as_of
    WHERE deleted_at IS NULL
),

approvals AS (
    SELECT
        {{ kind }}_id,
        -- of what was approved when it was seen first, it is not known when that was
        CASE WHEN count(CASE WHEN state = '{{ approved }}' AND position = 1 THEN 1 END) = 0
            THEN min(CASE WHEN state = '{{ approved }}' THEN since END)
        END AS approved_at
    FROM seen
    GROUP BY {{ kind }}_id
),

named AS (
    SELECT
        {{ kind }}s.id AS {{ kind }}_id,
        coalesce({{ kind }}s.name, {{ kind }}s.id) AS {{ kind }}_name,
        {% if kind == "campaign" %}
        coalesce(brands.name, campaigns.brand_id) AS brand_name,
        coalesce(campaigns.sms_use_case, '(none)') AS use_case,
        {% endif %}
        {{ kind }}s.state,
        {{ kind }}s.created_at,
        approvals.approved_at,
        CASE
            WHEN {{ kind }}s.created_at BETWEEN calendar_start AND calendar_end THEN {{ kind }}s.created_at
        END AT TIME ZONE 'UTC' AS created_utc,
        approvals.approved_at AT TIME ZONE 'UTC' AS approved_utc,
        as_of AT TIME ZONE 'UTC' AS as_of_utc
    FROM {{ kind }}s
    CROSS JOIN data_as_of
    LEFT JOIN approvals ON approvals.{{ kind }}_id = {{ kind }}s.id
    {% if kind == "campaign" %}
    LEFT JOIN brands ON brands.id = campaigns.brand_id
    {% endif %}
    WHERE {{ kind }}s.deleted_at IS NULL
)

SELECT
    {{ kind }}_id,
    {{ kind }}_name,
    {% if kind == "campaign" %}
    brand_name, use_case,
    {% endif %}
    state,
    created_at,
    approved_at,
    CASE WHEN approved_utc >= created_utc
        THEN CAST(extract(epoch FROM approved_utc - created_utc) AS DOUBLE) / 3600
    END AS approval_hours,
    CASE WHEN state = 'pending' AND created_utc IS NOT NULL
        THEN greatest(
            CAST(extract(epoch FROM as_of_utc - created_utc) AS DOUBLE) / 3600, CAST(0 AS DOUBLE)
        )
    END AS waiting_hours,
    approved_at IS NOT NULL OR coalesce(state, '(none)') = 'pending' AS was_seen_waiting
FROM named
ORDER BY waiting_hours DESC NULLS LAST, approved_at DESC NULLS LAST, {{ kind }}_id
