"""Indexing: a queue of objects whose derived data is out of date, and the registry of what rebuilds it.

Uses page_cache, whose triggers fill the queue.
Used by packages that build derived data (redirects, search, articles, quotes) or read it.
"""
