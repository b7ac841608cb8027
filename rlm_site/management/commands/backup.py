from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from rlm_site.backups import backup
from rlm_site.backups.backup import BackupError, Contents
from rlm_site.progress import ProgressBar


class Command(BaseCommand):
    help = (
        "Write the whole database to one new file while the site runs, and verify the copy by opening it. "
        "The file includes user accounts and sessions; only the account that runs this command can read it. "
        "Keep a copy of .env with it."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="?", help="file to write (default: named by date and time, in var/backups/)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        bar = ProgressBar()
        path: Path | None = options["file"]
        try:
            path = path or backup.default_path()
            contents = backup.back_up(path, bar)
        except OSError as error:
            raise CommandError(f"{path or error.filename}: cannot be written ({error.strerror}).") from error
        except BackupError as error:
            raise CommandError(f"{path}: {error}. Nothing was written.") from error
        except DatabaseError as error:
            raise CommandError(f"Database error: {first_line(error)}. Nothing was written.") from error
        finally:
            bar.clear()
        self.stdout.write(f"{path}: {path.stat().st_size / 1e6:,.1f} MB, verified.")
        for line in report(contents):
            self.stdout.write(line)
        for flaw in contents.flaws:
            self.stderr.write(f"Problem in the database itself: {flaw}.")


def report(contents: Contents) -> list[str]:
    return [f"{number:8,} {what}" for number, what in contents.summary()]


def first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")
