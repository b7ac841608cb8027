"""Backing up the database to one verified file while the site runs, and restoring it.

A restored database is complete before readers see it: migrations are applied, triggers installed and the queue is
processed. Its content versions are new, so that servers do not reuse cached pages.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from rlm_site.backups import postgresql, sqlite
from rlm_site.backups.contents import BackupError, Contents, main_models
from rlm_site.indexing import analyze, queue
from rlm_site.page_cache import triggers
from rlm_site.progress import Progress

__all__ = ["BackupError", "Contents", "back_up", "default_path", "has_content", "restore"]


@dataclass(frozen=True)
class Restored:
    contents: Contents
    replaced: Path | None  # the database that was there before
    servers_must_restart: bool


def default_path(prefix: str = "") -> Path:
    """Return a path in var/backups/ named by local time."""
    database = _database()
    folder: Path = database.folder() / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{prefix}{timezone.localtime():%Y-%m-%d-%H%M%S}{database.SUFFIX}"


def back_up(path: Path, progress: Progress) -> Contents:
    """Copy the database to a new file, and verify the copy."""
    with _new_file(path) as temporary, connection.wrap_database_errors:
        contents: Contents = _database().write(temporary, progress)
        if not contents.migrations:
            raise BackupError("the database is empty; check DATABASE_URL")
    return contents


def has_content() -> bool:
    """Return whether there is any content to lose; also if the database cannot be read."""
    try:
        tables = connection.introspection.table_names()
        return any(model._base_manager.exists() for model in main_models() if model._meta.db_table in tables)
    except DatabaseError:
        return True


def restore(path: Path, keep: Path, progress: Progress) -> Restored:
    """Replace the database by the contents of the file; back up the old one first, if it has any content."""
    database = _database()
    require_same_engine(path)
    contents: Contents = database.read(path, progress)
    contents.require_compatible()
    types_before = _content_types()
    backups: list[Path] = []

    def back_up_replaced() -> None:
        if has_content():
            with _new_file(keep) as temporary:
                database.write_replaced(temporary, progress)
            backups.append(keep)

    with connection.wrap_database_errors:
        database.replace(path, back_up_replaced, _prepare, progress)
    types_now = _content_types()
    ids_changed = any(types_now.get(key, pk) != pk for key, pk in types_before.items())
    return Restored(contents, backups[0] if backups else None, servers_must_restart=ids_changed)


def require_same_engine(path: Path) -> None:
    with path.open("rb") as file:
        beginning = file.read(16)
    kinds = {sqlite: "SQLite", postgresql: "PostgreSQL"}
    for module, name in kinds.items():
        if beginning.startswith(module.SIGNATURE):
            if module is _database():
                return
            raise BackupError(f"this is a {name} backup, but DATABASE_URL names a database of another kind")
    raise BackupError("this is not a backup; choose a file written by `manage.py backup`")


def _database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def _prepare() -> None:
    """Prepare restored data for serving, while nobody can see it yet."""
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    triggers.install_triggers()
    queue.process_queue()
    Session.objects.all().delete()  # users who signed out since must not be signed in again
    analyze.analyze()
    triggers.renew_versions()


def _content_types() -> dict[tuple[str, str], int]:
    """Return the ids of content types, which servers cache; none if the database is empty or damaged."""
    try:
        return {(app, model): pk for app, model, pk in ContentType.objects.values_list("app_label", "model", "pk")}
    except DatabaseError:
        return {}


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """Create a file readable by this account only, under a temporary name until it is synced to disk."""
    if path.exists():
        raise BackupError("this file already exists; choose another name")
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        _sync(temporary)
        temporary.rename(path)
        _sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
