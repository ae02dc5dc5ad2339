"""The pipeline `signalwire_orders` and the command line around it.

Nothing is imported here, so that `signalwire-orders --help` answers at once.
"""
