"""The editor: what every record does in the admin, whatever its content is.

Uses history, tags, publishing, indexing and the page cache's versions.
Used by the admin of the site and of both apps.
"""
