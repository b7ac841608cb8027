"""Text: words and their forms, folding, slugs, three-way merge and JSON-LD, as pure functions.

Uses no other package and no model.
Used by everything that reads, compares or addresses text.
"""
