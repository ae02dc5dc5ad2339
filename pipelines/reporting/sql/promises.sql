-- One row per promise: hours within which orders should be processed, and which ones (settings reports.sla and reports.main_sla_hours).
--
-- promise: What reports call it.
-- promised_hours: The hours.
-- campaign_id: The campaign whose orders it is for (campaigns.id); null for any.
-- brand_id: The brand whose orders it is for (brands.id); null for any.
-- use_case: The use case of campaigns whose orders it is for; null for any.
-- since: The first day of creation that it holds for (UTC); 1970-01-01 for all.
-- priority: How specific it is. Of those that hold for an order the highest counts, then the latest.
--
-- On a terminal: promise, promised_hours, since
SELECT
    promise,
    CAST(promised_hours AS DOUBLE) AS promised_hours,
    nullif(campaign_id, '') AS campaign_id,
    nullif(brand_id, '') AS brand_id,
    nullif(use_case, '') AS use_case,
    CAST(since AS DATE) AS since,
    priority
FROM (VALUES ('all orders', 24.0, '', '', '', '1970-01-01', 0))
    AS t (promise, promised_hours, campaign_id, brand_id, use_case, since, priority)
