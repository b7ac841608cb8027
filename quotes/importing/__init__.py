"""Bulk import of quotations: rows are read, compared with the database, written and indexed.

Uses the models and duplicates of quotes, and the history.
Used by the command import_quotes.
"""
