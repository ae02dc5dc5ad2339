"""What BI programs import: datasets, charts and dashboards, made from the reports' catalog.

Not here: the reports themselves (`reporting`), and copies for such programs to read (`publishing`).
"""
