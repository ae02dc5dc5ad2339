"""The reports: their SQL, the views at a destination, their rows, and the health of the data.

What is drawn or copied from them belongs to `dashboard` and `publishing`; nothing here loads data.
"""
