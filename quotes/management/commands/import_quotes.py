from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from quotes.importing import importer
from quotes.importing.importer import RefusedError, Report, UnreadableError
from quotes.models import Quote
from rlm_site.indexing import analyze
from rlm_site.progress import ProgressBar

MAX_LINES_SHOWN = 20  # lines of one kind, unless all are asked for
STATUSES = (Quote.Status.REPORTED, Quote.Status.UNVERIFIED, Quote.Status.DISPUTED)


class Command(BaseCommand):
    help = (
        "Add or change quotations from a JSON Lines (.jsonl) or CSV (.csv) file. "
        "An invalid row stops the import before anything is written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and change nothing")
        parser.add_argument(
            "--auto-pick", action="store_true", help="let the site pick the new quotations; by default it does not"
        )
        parser.add_argument("--skip-bad", action="store_true", help="skip invalid rows instead of stopping")
        parser.add_argument(
            "--status",
            choices=[str(status) for status in STATUSES],
            default="",
            help="of new quotations whose rows give none; by default “reported” with a source, otherwise “unverified”",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        bar = ProgressBar()
        try:
            report = importer.run(
                path,
                status=options["status"],
                auto_pick=options["auto_pick"],
                skip_bad=options["skip_bad"],
                dry_run=options["dry_run"],
                progress=bar,
            )
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        except UnreadableError as error:
            raise CommandError(f"{path}: {error} Nothing was written.") from error
        except RefusedError as error:
            lines = self.truncate([f"{path}, {problem}" for problem in error.problems], options["verbosity"])
            advice = "Nothing was written. Correct the file, or skip invalid rows with --skip-bad."
            raise CommandError("\n".join([*lines, advice])) from error
        finally:
            bar.clear()
        if not options["dry_run"]:
            analyze.analyze()
        for line in self.report(report, path, options["verbosity"], options["dry_run"]):
            self.stdout.write(line)

    def report(self, report: Report, path: Path, verbosity: int, dry_run: bool) -> list[str]:
        lines = self.totals(report, path)
        details = self.details(report)
        for title, entries in details.items():
            if entries:
                lines += [f"{title}:", *(f"  {entry}" for entry in self.truncate(entries, verbosity))]
        if not report.picks and (report.plan.added or report.plan.changed):
            lines.append("No page shows different quotations.")
        if dry_run:
            lines.append("Dry run: nothing was written.")
        return lines

    def totals(self, report: Report, path: Path) -> list[str]:
        plan = report.plan
        refused = {problem.line for problem in plan.refused}
        lines = [
            f"{path.name}: {report.rows:,} rows, sha256 {report.digest}",
            f"{len(plan.added):8,} added",
            f"{len(plan.changed):8,} changed",
            f"{len(plan.unchanged):8,} unchanged",
            f"{len(plan.duplicates):8,} duplicates, not added",
            f"{len(refused):8,} refused",
        ]
        if plan.to_verify:
            lines.append(f"{plan.to_verify:8,} marked for checking in the file, added as unverified")
        if plan.unparsed:
            lines.append(
                f"{plan.unparsed:8,} with an attribution that could not be fully parsed and is kept as printed"
            )
        return lines

    def details(self, report: Report) -> dict[str, list[str]]:
        plan = report.plan
        changed = [
            f"line {change.record.line:,}: {change.record.key}: {', '.join(change.fields)}" for change in plan.changed
        ]
        unchanged = [f"line {row.line:,}: {row.key}: {row.note}" for row in plan.unchanged if row.note]
        duplicates = [
            f"line {duplicate.line:,}: same quotation as {duplicate.original_key}"
            + (f" on line {duplicate.original_line:,}" if duplicate.original_line else "")
            + f" ({duplicate.verdict})"
            for duplicate in plan.duplicates
        ]
        picks = [
            f"{page}: {', '.join(self.differences(before, after))}" for page, (before, after) in report.picks.items()
        ]
        return {
            "Changed": changed,
            "Edited on the site and left unchanged": unchanged,
            "Duplicates": duplicates,
            "Refused": [str(problem) for problem in sorted(plan.refused)],
            "Pages that show different quotations": picks,
        }

    def truncate(self, lines: Sequence[str], verbosity: int) -> list[str]:
        if verbosity > 1 or len(lines) <= MAX_LINES_SHOWN:
            return list(lines)
        return [*lines[:MAX_LINES_SHOWN], f"… and {len(lines) - MAX_LINES_SHOWN:,} more (--verbosity 2 shows all)"]

    def differences(self, before: Sequence[str], after: Sequence[str]) -> list[str]:
        """Return `+ key` for each quotation that a page shows now, `- key` for each that it no longer shows."""
        gone = [f"- {key}" for key in before if key not in after]
        new = [f"+ {key}" for key in after if key not in before]
        return [*gone, *new] or ["in a different order"]
