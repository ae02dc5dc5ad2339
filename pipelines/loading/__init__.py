"""How a run loads: what the last run left first, then what was read, under the lock throughout.

`notify` informs people how a run ended and what a check found.

What a certain destination needs for that is in `destinations`, what is read in `sources`.
"""
