"""The reports: one SQL file for each view, in DuckDB's dialect (`pipelines/reports.py` reads them).

The comment on top of a file says what one row stands for; then come the columns, one a line.
"""
