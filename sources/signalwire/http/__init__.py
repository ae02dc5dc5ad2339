"""All that is between this program and the API: requests, retries, pages, and checked responses.

What to request, and what the records mean, is decided elsewhere.
"""
