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
        "Make the database what a file of `backup` holds, while the site runs: servers show it from the next request. "
        "A backup of an older version of the site is brought up to date; one of a newer version is refused. "
        "Accounts, passwords and permissions are those of the backup, so look through them: accounts that were closed "
        "since are open again, and so are links to previews that were taken back. Nobody stays signed in."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace a database that has content")
        parser.add_argument(
            "--keep",
            type=Path,
            metavar="FILE",
            help="where a backup of the replaced database is left; else a file named replaced-… in var/backups/",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        bar = ProgressBar()
        try:
            if not options["force"] and backup.has_content():
                raise CommandError("The database has content. Replace it with --force; it is kept as a backup then.")
            restored = backup.restore(path, options["keep"] or backup.default_path("replaced-"), bar)
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}. Nothing was changed.") from error
        except BackupError as error:
            raise CommandError(f"{path}: {error}. Nothing was changed.") from error
        except DatabaseError as error:
            raise CommandError(f"The database failed: {first_line(error)}. Nothing was changed.") from error
        finally:
            bar.clear()
        self.stdout.write(f"{path} is restored.")
        for line in report(restored.contents):
            self.stdout.write(line)
        if restored.replaced:
            self.stdout.write(f"The database that was replaced is kept in {restored.replaced}.")
        if restored.servers_must_restart:
            self.stdout.write("Restart the servers that are running: record types have other numbers in this backup.")
