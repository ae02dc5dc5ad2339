"""The command line: one file per command with its options, and what they share.

What a command does belongs in the packages below; here is what a person types and reads. The files
of commands import what is slow (dlt, rich) inside of `main`, so that `--help` answers at once.
"""
