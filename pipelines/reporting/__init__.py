"""The reports: their SQL, the views at a destination, their rows, and the health of the data.

Other programs take them as a dbt package or a dashboard of Superset's. What is drawn or copied from
them belongs to `dashboard` and `publishing`; nothing here loads data.
"""
