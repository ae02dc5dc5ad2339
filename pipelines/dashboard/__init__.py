"""The dashboard: the reports as one HTML page, from the queries to the charts and templates.

Not here: the reports themselves (`pipelines/reporting`), and where the page is written to
(`pipelines/cli`).
"""
