"""History: revisions and working copies, differences between them, and what was deleted.

Uses publishing, indexing, redirects and tags.
Used by the editor and both apps.
"""
