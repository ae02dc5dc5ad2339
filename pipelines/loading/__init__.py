"""How a run loads: what the last run left first, then what was read, under the lock throughout.

What a certain destination needs for that is in `destinations`, what is read in `sources`.
"""
