"""Redirects: every path that an object ever had leads to its present one.

Uses indexing, to notice new paths.
Used by tags, history, and the page for paths that are not found.
"""
