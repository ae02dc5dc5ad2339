-- One row: the key figures of all orders.
--
-- as_of: The moment these numbers are of (UTC).
@measures
columns = (SELECT as_of FROM data_as_of) AS as_of
