"""Redirects: every path that a public object ever had leads to its present one.

Uses page_cache and indexing, to notice new paths.
Used by tags, history, the editor, articles, and the page for paths that are not found.
"""
