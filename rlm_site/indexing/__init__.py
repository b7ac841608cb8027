"""Indexing: the queue of objects whose derived data is out of date, and who derives it anew.

Uses page_cache, whose triggers fill the queue.
Used by whoever derives data (redirects, search, articles, quotes) or reads it.
"""
