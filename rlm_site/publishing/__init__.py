"""Publishing: which rows are public and when, and who may decide it.

Uses no other package.
Used by every package that reads or writes content.
"""
