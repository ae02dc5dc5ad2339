"""The reports: one SQL file for each view, in DuckDB's dialect (`reporting/catalog.py` reads them).

The comment on top of a file says what one row stands for, then come the columns, one a line, and
which of them matter most where a terminal is too narrow for all.
"""
