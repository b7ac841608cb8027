"""What must be right before the site may start. `manage.py check --database default` looks into the database."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import OperationalError, ProgrammingError

from rlm_site.page_cache import triggers


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for alias in databases or ():
        try:
            absent = triggers.tables_without_trigger(alias)
        except (OperationalError, ProgrammingError):
            continue  # no database yet
        for table in absent:
            problems.append(
                Error(
                    f"Changes of the table {table} would go unnoticed: it has no trigger.",
                    hint="Run `manage.py migrate --skip-checks`, which puts the triggers back.",
                    id="rlm_site.E001",
                )
            )
    return problems
