"""Tags: the model, names as they are typed, lists for readers, and renaming and merging with undo.

Uses indexing, redirects and text.
Used by history, search, the editor and both apps.
"""
