"""The reports as a dashboard that Superset imports: datasets, charts and filters.

Copies for Superset to read are in `publishing`.
"""
