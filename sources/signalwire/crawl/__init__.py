"""One run through a space: brands, their campaigns, each campaign's orders, as coroutines.

It wires requests, conversion and decisions together; none of them is made here.
"""
