import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from quotes import exporting
from quotes.models import Quote
from rlm_site.progress import ProgressBar


class Command(BaseCommand):
    help = "Export all quotations, published or not, as JSON Lines for import_quotes. Without a file, print them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, nargs="?")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path | None = options["file"]
        if path is None:
            for line in exporting.lines():
                self.stdout.write(line)
            return
        bar = ProgressBar()
        total = Quote.objects.count()
        try:
            # A reader of the file sees the old one or the new one, never half of it.
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
            ) as file:
                temporary = Path(file.name)
                try:
                    done = 0
                    for done, line in enumerate(exporting.lines(), 1):
                        file.write(f"{line}\n")
                        bar("Writing", done, total)
                    file.close()
                    umask = os.umask(0)
                    os.umask(umask)
                    temporary.chmod(0o666 & ~umask)
                    temporary.replace(path)
                except BaseException:
                    temporary.unlink()
                    raise
        except OSError as error:
            raise CommandError(f"{path}: cannot be written ({error.strerror}).") from error
        finally:
            bar.clear()
        self.stdout.write(f"{path.name}: {done:,} quotations.")
