"""What migrations are made for: tables and columns, and not the words, checks and defaults that only code uses."""

from typing import Any

from django.db.migrations.autodetector import MigrationAutodetector
from django.db.models import Field

USED_BY_CODE_ALONE = {"default", "error_messages", "help_text", "validators", "verbose_name"}


class TableAutodetector(MigrationAutodetector):
    """Find changes of tables, so that nobody needs a migration to correct a word of a form."""

    def deep_deconstruct(self, obj: Any) -> Any:
        found = super().deep_deconstruct(obj)
        if not isinstance(obj, Field):
            return found
        path, args, kwargs = found
        return path, args, {name: value for name, value in kwargs.items() if name not in USED_BY_CODE_ALONE}
