"""Search: the index and the query; it knows no app, each registers its documents.

Uses indexing, tags and text.
Used by the search page and by both apps, which register.
"""
