"""The contents of a backup, and whether this version of the site can restore it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import models
from django.db.migrations.loader import MigrationLoader

from rlm_site.page_cache import watch

Migrations = frozenset[tuple[str, str]]  # app and name


class BackupError(Exception):
    """An error with a one-line message for the operator. Nothing was changed."""


@dataclass(frozen=True)
class Contents:
    rows: Mapping[str, int]  # of every table
    migrations: Migrations
    flaws: tuple[str, ...] = ()  # that do not prevent restoring it

    def summary(self) -> Iterator[tuple[int, str]]:
        """Yield number and name of the main content types and of accounts."""
        for model in main_models():
            if number := self.rows.get(model._meta.db_table):
                yield number, str(model._meta.verbose_name if number == 1 else model._meta.verbose_name_plural)

    def require_compatible(self) -> None:
        if not any(app == "rlm_site" for app, _name in self.migrations):
            raise BackupError("this is a backup of another program")
        known = MigrationLoader(None).disk_migrations
        if newer := sorted(self.migrations - known.keys()):
            raise BackupError(
                f"this backup is from a newer version of the site ({'.'.join(newer[0])} is unknown here);"
                " update the site first"
            )


def main_models() -> list[type[models.Model]]:
    """Return the models of content and accounts; an empty site has no rows of these."""
    return [*(entry.model for entry in watch.WATCHED.values()), get_user_model()]
