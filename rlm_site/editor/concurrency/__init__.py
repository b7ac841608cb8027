"""Two people at once: optimistic locking of forms, conflicts, presence, autosave and locks.

Uses history, tags, text and the page cache's versions.
Used by the editor.
"""
