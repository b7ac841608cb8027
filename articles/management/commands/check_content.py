from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from articles.content_files import find_faults
from rlm_site.fixture_files import find_file, fixture_files


class Command(BaseCommand):
    help = "Check content files, by default those in fixtures/. The database is not used."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="*", help="fixture names or paths; all files are checked together")

    def handle(self, *args: Any, files: list[str], verbosity: int, **options: Any) -> None:
        paths = [find_file(name) for name in files] or fixture_files()
        rows, faults = find_faults(paths)
        for fault in faults:
            self.stdout.write(str(fault))
        if faults:
            spoilt = len({fault.path for fault in faults})
            some = "1 problem" if len(faults) == 1 else f"{len(faults)} problems"
            raise CommandError(f"{some} in {spoilt} of {len(paths)} files.")
        if verbosity:
            self.stdout.write(f"{len(paths)} files, {rows:,} rows: no problems found.")
