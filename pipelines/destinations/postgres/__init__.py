"""PostgreSQL: the destination, its credentials, sessions, lock and checks.

psycopg2 is imported in `session`, when a connection is made, so that settings can be read without.
"""
