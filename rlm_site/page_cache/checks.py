"""The check that no trigger is missing: `manage.py check --deploy --tag database --database default`.

It is a check of deployment because `migrate` runs all other checks of a database first, and installs missing triggers
only at its end. A server that is running says on `/healthz` whether one is missing.
"""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db import OperationalError, ProgrammingError

from rlm_site.page_cache import triggers


def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Return an error for every table whose changes would go unnoticed."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        try:
            unwatched = triggers.tables_without_trigger(alias)
        except (OperationalError, ProgrammingError):
            continue  # no database yet
        for table in unwatched:
            problems.append(
                Error(
                    f"Changes to the table {table} would go unnoticed: a trigger is missing.",
                    hint="Run `manage.py migrate` to install the missing triggers.",
                    id="rlm_site.E001",
                )
            )
    return problems
