"""Importing quotations in bulk: read, compared with what is there, written, indexed.

Uses the models and duplicates of quotes, and the history.
Used by the command import_quotes.
"""
