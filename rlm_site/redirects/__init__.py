"""Redirects: every address that an object has had leads to where it is now.

Uses indexing, to notice new addresses.
Used by tags, history, and the page that says that nothing was found.
"""
