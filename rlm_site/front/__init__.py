"""The front: the pages that mix both apps, from the home page to the sitemaps.

Uses every other package and both apps.
Used by urls.py alone.
"""
