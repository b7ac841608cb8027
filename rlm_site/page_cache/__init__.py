"""The page cache: readers' pages in memory, and the triggers that say what has changed.

Uses publishing, for the moments at which the clock alone changes a page.
Used by all readers' pages; apps declare in apps.py which tables their pages show.
"""
