"""What makes a load incremental: cursors, how far to read, and what differs from the destination.

Pure decisions on plain values; requests and threads belong into `crawl`.
"""
