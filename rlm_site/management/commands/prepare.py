import secrets
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from rlm_site import file_locks, static_files
from rlm_site.fixture_files import fixture_files
from rlm_site.indexing import analyze, queue
from rlm_site.indexing.models import Stale
from rlm_site.publishing.models import any_record

FIRST_EDITOR = "editor"
PREPARE_LOCK = 0x726C6D01  # key of the PostgreSQL advisory lock


class Command(BaseCommand):
    help = (
        "Update the database and the static files, so that the site can be served. Of several that start at the same "
        "moment, the first does it and the others wait."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        self.prepare()

    def prepare(self) -> None:
        try:
            with one_at_a_time():
                require_database()
                self.migrate()
                self.load_content()
                self.create_first_editor()
            with file_locks.only_one(settings.STATE_DIR / "static.lock"):
                self.collect_static_files()
        except OperationalError as error:
            raise CommandError(f"Database error: {first_line(error)}.") from error
        connections.close_all()

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def migrate(self) -> None:
        executor = MigrationExecutor(connection)
        require_known_migrations(executor.loader)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.say("Updating the database tables …")
        # Also without pending migrations, because it reinstalls missing triggers.
        try:
            call_command("migrate", interactive=False, verbosity=0, skip_checks=True)
        except (DatabaseError, InconsistentMigrationHistory) as error:
            raise CommandError(
                f"The database tables could not be updated: {first_line(error)}."
                " It must be a database of this site and of a release in CHANGELOG.md; if not, restore a backup of one."
            ) from error

    def load_content(self) -> None:
        if not any_record():
            call_command("check_content", stdout=self.stdout, verbosity=0)
            self.say("Loading content from fixtures/ …")
            with warnings.catch_warnings(action="ignore", category=RuntimeWarning):  # of a fixture that is empty
                call_command("loaddata", *fixture_files(), verbosity=0, skip_checks=True)
        if Stale.objects.exists():
            self.say("Indexing words and search …")
            queue.process_queue()
            queue.finish_loading()
            analyze.analyze()

    def collect_static_files(self) -> None:
        if not settings.DEBUG and not static_files.are_collected():  # with DEBUG they are served from their sources
            self.say("Collecting and compressing static files …")
            static_files.collect()

    def create_first_editor(self) -> None:
        users = get_user_model()._default_manager
        if users.exists():
            return
        password = secrets.token_urlsafe(15)
        users.create_superuser(FIRST_EDITOR, password=password)
        self.say(f"Created an editor account for {settings.SITE_URL}/admin/. Its password is shown only this once:")
        self.say(f"  name      {FIRST_EDITOR}")
        self.say(f"  password  {password}")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let one process at a time prepare the database."""
    if connection.vendor == "sqlite":
        database = Path(connection.settings_dict["NAME"])
        require_folder(database.parent)
        with file_locks.only_one(database.with_name(f"{database.name}-prepare")):
            yield
        return
    require_database()
    other = connection.copy()  # whose transaction has the lock as long as it is open, behind a pooler too
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARE_LOCK])
        yield
    finally:
        other.close()


def require_database() -> None:
    if connection.vendor == "sqlite":
        require_folder(Path(connection.settings_dict["NAME"]).parent)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        raise CommandError(f"Cannot connect to the database: {first_line(error)}. Check DATABASE_URL.") from error


def require_known_migrations(loader: MigrationLoader) -> None:
    """Refuse a database of a newer release, whose tables this one does not know."""
    newer = [f"{app}.{name}" for app, name in sorted(loader.applied_migrations) if app in loader.migrated_apps]
    newer = [name for name in newer if tuple(name.split(".")) not in loader.disk_migrations]
    if newer:
        raise CommandError(
            f"The database belongs to a newer release: it has the migration {newer[-1]}. Install that release, or"
            " restore a backup made before it."
        )


def require_folder(folder: Path) -> None:
    try:
        settings.STATE_DIR.mkdir(exist_ok=True)
    except OSError as error:
        raise CommandError(f"Cannot create the folder {settings.STATE_DIR}: {error.strerror}.") from error
    if not folder.is_dir():
        raise CommandError(f"The folder {folder} for the database does not exist. Create it, or check DATABASE_URL.")


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
