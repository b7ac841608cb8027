"""Testing: what the tests of all apps share, databases, served sites, and a browser to read them with.

Uses the whole site, which it starts as an operator would.
Used by tests and benchmarks; plugin.py is loaded by pytest (see pyproject.toml).
"""
