"""Copies of the data for other programs, and the files that commands write.

What is copied comes from `destinations`, and the reports in a copy from `reporting`.
"""
