"""Backups: one checked file with the whole database, and the way back.

Uses publishing, page_cache and indexing.
Used by the commands backup and restore.
"""
