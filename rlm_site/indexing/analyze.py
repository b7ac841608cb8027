"""Updating the database's table statistics, by which its planner chooses indexes.

PostgreSQL does this itself, but not within a minute of a bulk load; SQLite never does.
"""

from django.db import connection

ROWS_READ = 1000  # of each index on SQLite: enough to choose by, and a large file is not read as a whole


def analyze() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA analysis_limit = {ROWS_READ}")
        cursor.execute("ANALYZE")
