from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from rlm_site.backups import backup
from rlm_site.backups.backup import BackupError
from rlm_site.management.commands.backup import first_line, report
from rlm_site.progress import ProgressBar


class Command(BaseCommand):
    help = (
        "Replace the database with a file written by `backup`, while the site runs; servers use it from the next "
        "request. A backup from an older version of the site is updated; one from a newer version is refused. "
        "Accounts, passwords and permissions come from the backup, so review them: accounts closed since then are "
        "open again, and revoked preview links work again. Everybody is signed out."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="file written by `backup`")
        parser.add_argument("--force", action="store_true", help="replace a database that has content")
        parser.add_argument(
            "--keep",
            type=Path,
            metavar="FILE",
            help="where to keep a backup of the replaced database (default: replaced-… in var/backups/)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        bar = ProgressBar()
        try:
            if not options["force"] and backup.has_content():
                raise CommandError("The database has content. Use --force to replace it; a backup of it is kept.")
            restored = backup.restore(path, options["keep"] or backup.default_path("replaced-"), bar)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Nothing was changed.") from error
        except BackupError as error:
            raise CommandError(f"{path}: {error}. Nothing was changed.") from error
        except DatabaseError as error:
            raise CommandError(f"Database error: {first_line(error)}. Nothing was changed.") from error
        finally:
            bar.clear()
        self.stdout.write(f"Restored {path}.")
        for line in report(restored.contents):
            self.stdout.write(line)
        if restored.replaced:
            self.stdout.write(f"The replaced database is kept in {restored.replaced}.")
        if restored.servers_must_restart:
            self.stdout.write("Restart the running servers: record types have different numbers in this backup.")
