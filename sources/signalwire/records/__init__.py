"""What a record of the API becomes: tables and columns, and the one way from JSON to Arrow rows.

Nothing here does I/O, and nothing knows what the destination already has.
"""
