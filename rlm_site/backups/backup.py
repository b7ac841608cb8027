"""The whole database in one file, and back: copied while the site runs, looked at before anybody relies on it.

What is brought back is complete before a reader sees any of it: its migrations are those of this code, its triggers
stand, nothing waits to be derived, and its versions are new, so that a server's memory cannot take it for something
that it has seen before.
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
    kept: Path | None  # the database that was there before
    servers_must_restart: bool


def default_path(prefix: str = "") -> Path:
    """In var/backups/, by the time of the site's clock."""
    database = _database()
    folder: Path = database.folder() / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / f"{prefix}{timezone.localtime():%Y-%m-%d-%H%M%S}{database.SUFFIX}"


def back_up(path: Path, progress: Progress) -> Contents:
    """Copy the database into a new file, and open the copy."""
    with _new_file(path) as temporary, connection.wrap_database_errors:
        contents: Contents = _database().write(temporary, progress)
        if not contents.migrations:
            raise BackupError("the database is empty; look at DATABASE_URL")
    return contents


def has_content() -> bool:
    """Whether there is anything to lose. A database that cannot be read is not known to be empty."""
    try:
        tables = connection.introspection.table_names()
        return any(model._base_manager.exists() for model in main_models() if model._meta.db_table in tables)
    except DatabaseError:
        return True


def restore(path: Path, keep: Path, progress: Progress) -> Restored:
    """Make the database what the file holds. What it replaces is kept as a backup, if it has any content."""
    database = _database()
    require_kind(path)
    contents: Contents = database.read(path, progress)
    contents.require_ours()
    types_before = _content_types()
    kept: list[Path] = []

    def keep_replaced() -> None:
        if has_content():
            with _new_file(keep) as temporary:
                database.write_replaced(temporary, progress)
            kept.append(keep)

    with connection.wrap_database_errors:
        database.replace(path, keep_replaced, _prepare, progress)
    types_now = _content_types()
    moved = any(types_now.get(key, pk) != pk for key, pk in types_before.items())
    return Restored(contents, kept[0] if kept else None, servers_must_restart=moved)


def require_kind(path: Path) -> None:
    with path.open("rb") as file:
        beginning = file.read(16)
    kinds = {sqlite: "SQLite", postgresql: "PostgreSQL"}
    for module, name in kinds.items():
        if beginning.startswith(module.SIGNATURE):
            if module is _database():
                return
            raise BackupError(f"it is a backup of {name}, and DATABASE_URL names a database of another kind")
    raise BackupError("it is no backup: give a file that `manage.py backup` wrote")


def _database() -> ModuleType:
    return postgresql if connection.vendor == "postgresql" else sqlite


def _prepare() -> None:
    """Bring what was brought back to where a server can serve it; nobody sees it yet."""
    call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
    triggers.install_triggers()
    queue.process_queue()
    Session.objects.all().delete()  # who signed out since is not to be signed in again
    analyze.analyze_if_outgrown()
    triggers.renew_versions()


def _content_types() -> dict[tuple[str, str], int]:
    """Servers remember their numbers. None where the database is empty, or too damaged to tell."""
    try:
        return {(app, model): pk for app, model, pk in ContentType.objects.values_list("app_label", "model", "pk")}
    except DatabaseError:
        return {}


@contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    """A file for this account only, under another name beside it until all of it is on the disk."""
    if path.exists():
        raise BackupError("this file is there already; name a new one")
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
