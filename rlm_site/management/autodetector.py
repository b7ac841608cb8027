"""What migrations are made for: tables and columns, and not the words, checks and defaults that only code uses."""

from typing import Any

from django.db.migrations.autodetector import MigrationAutodetector
from django.db.models import Field

USED_BY_CODE_ALONE = {"default", "error_messages", "help_text", "validators", "verbose_name"}
NAMES = ("verbose_name", "verbose_name_plural")


class TableAutodetector(MigrationAutodetector):
    """Find changes of tables, so that nobody needs a migration to correct a word of a form."""

    def deep_deconstruct(self, obj: Any) -> Any:
        found = super().deep_deconstruct(obj)
        if not isinstance(obj, Field):
            return found
        path, args, kwargs = found
        kept = {name: value for name, value in kwargs.items() if name not in USED_BY_CODE_ALONE}
        if "choices" in kept:
            kept["choices"] = [value for value, _label in obj.flatchoices]
        return path, args, kept

    def generate_altered_options(self) -> None:
        for state in (self.from_state, self.to_state):
            for model in state.models.values():
                for name in NAMES:
                    model.options.pop(name, None)
        super().generate_altered_options()
