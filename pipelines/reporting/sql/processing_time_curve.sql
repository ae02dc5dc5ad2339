-- One row per thousandth of the curve of orders still waiting (Kaplan-Meier), by time: at most 1,002, to draw it.
--
-- hours: Hours since an order was created.
-- at_risk: Orders known to have waited until then.
-- share_waiting: Estimated share of all orders still waiting after that time, 0 to 1.
-- lower: Lower end of its 95 % confidence band (log-log); null where there is none.
-- upper: Upper end of that band.
--
-- On a terminal: hours, share_waiting, at_risk, lower, upper
WITH numbered AS (
    SELECT
        hours,
        at_risk,
        share_waiting,
        lower,
        upper,
        -- a hair more: a sum of logarithms may end beside a thousandth
        row_number() OVER (
            PARTITION BY floor(share_waiting * 1000 + 1e-9) ORDER BY hours
        ) AS position,
        row_number() OVER (ORDER BY hours DESC) AS from_end
    FROM processing_time_survival
)

SELECT
    hours,
    at_risk,
    share_waiting,
    lower,
    upper
FROM numbered
-- where the curve enters a thousandth, and how far it goes
WHERE position = 1 OR from_end = 1
ORDER BY hours
