"""Backups: the whole database in one verified file, and restoring it.

Uses publishing, page_cache and indexing.
Used by the commands backup and restore.
"""
