from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from quotes.importing import importer
from quotes.importing.importer import CollectionData, RefusedError, Report, UnreadableError
from quotes.models import Collection, Quote
from rlm_site.indexing import analyze
from rlm_site.progress import ProgressBar

MAX_LINES_SHOWN = 20  # lines of one kind, unless all are asked for
STATUSES = (Quote.Status.REPORTED, Quote.Status.UNVERIFIED, Quote.Status.DISPUTED)
DETAILS = ("name", "source", "url", "licence", "register", "trust", "policy")  # of a new collection


class Command(BaseCommand):
    help = (
        "Add or change the quotations of one collection from a JSON Lines (.jsonl) or CSV (.csv) file. "
        "An invalid row stops the import before anything is written."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--collection", metavar="SLUG", default="", help="to which the rows belong, unless each names its own"
        )
        parser.add_argument(
            "--take-over",
            action="store_true",
            help="also change quotations, people and works of other collections; the quotations move to this one",
        )
        new = parser.add_argument_group("a new collection", "added with the quotations if --name is given")
        new.add_argument("--name", help="such as “Familiar Quotations, 1905”")
        new.add_argument("--source", help="where the quotations come from, in words")
        new.add_argument("--url", help="its address")
        new.add_argument("--licence", help="such as “public domain”")
        new.add_argument("--register", choices=Collection.Register.values, help="by default serious")
        new.add_argument(
            "--trust",
            choices=Collection.Trust.values,
            help="in its attributions; by default unchecked: rows without a status become “unverified”",
        )
        new.add_argument(
            "--policy",
            choices=Collection.PickPolicy.values,
            help="automatic: the site may pick its quotations; pinned: they are shown only where an editor pins them; "
            "by default automatic, but pinned for a light collection",
        )
        parser.add_argument("--dry-run", action="store_true", help="report what would happen, and change nothing")
        parser.add_argument(
            "--auto-pick",
            action="store_true",
            help="let the site pick the new quotations, if status and collection allow it; by default it does not",
        )
        parser.add_argument("--skip-bad", action="store_true", help="skip invalid rows instead of stopping")
        parser.add_argument(
            "--status",
            choices=[str(status) for status in STATUSES],
            default="",
            help="of new quotations whose rows give none; by default that of the collection: see --trust",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        bar = ProgressBar()
        try:
            report = importer.run(
                path,
                collection=self.collection(options),
                take_over=options["take_over"],
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
        for line in self.report(report, path, options):
            self.stdout.write(line)

    def collection(self, options: dict[str, Any]) -> CollectionData | None:
        details = {name: options[name] for name in DETAILS if options[name] is not None}
        if not options["collection"]:
            if details:
                raise CommandError(f"--{next(iter(details))} describes a new collection. Name it: --collection SLUG.")
            return None
        if "policy" in details:
            details["pick_policy"] = details.pop("policy")
        return importer.collection_named(options["collection"], details)

    def report(self, report: Report, path: Path, options: dict[str, Any]) -> list[str]:
        verbosity, dry_run = options["verbosity"], options["dry_run"]
        lines = [*self.totals(report, path), *self.statuses(report, options), *self.pickability(report, options)]
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
        if plan.left:
            lines.append(f"{len(plan.left):8,} of another collection, left unchanged")
        if plan.to_verify:
            lines.append(f"{plan.to_verify:8,} marked for checking in the file")
        if plan.unparsed:
            lines.append(
                f"{plan.unparsed:8,} with an attribution that could not be fully parsed and is kept as printed"
            )
        return lines

    def statuses(self, report: Report, options: dict[str, Any]) -> list[str]:
        """Return the statuses of the new quotations and who decided each, and whether those on the site keep theirs."""
        lines = [f"{count:8,} added as {status}, {why}" for (status, why), count in sorted(report.statuses.items())]
        plan = report.plan
        on_site = len(plan.unchanged) + sum("status" not in change.record.fields for change in plan.changed)
        if options["status"] and on_site:
            lines.append(f"{on_site:8,} on the site before keep their status; --status is for new quotations")
        return lines

    def pickability(self, report: Report, options: dict[str, Any]) -> list[str]:
        """Return how many of the written quotations the site may pick, and what keeps it from picking the others."""
        picked, plan = report.pickability, report.plan
        lines = []
        if picked.total:
            lines.append(f"{picked.allowed:8,} of the {picked.total:,} written may be picked by the site")
        if picked.refused:
            lines.append(f"The other {picked.refused:,} may not:")
            lines += [f"  {count:,}: {told}" for told, count in picked.obstacles.most_common()]
        if options["auto_pick"] and (on_site := len(plan.unchanged) + len(plan.changed)):
            lines.append(
                f"--auto-pick is for new quotations; {on_site:,} were on the site before. "
                "To change those, give auto_pick in their rows."
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
            + f" ({duplicate.verdict}{f'; {duplicate.elsewhere}' if duplicate.elsewhere else ''})"
            for duplicate in plan.duplicates
        ]
        picks = [
            f"{page}: {', '.join(self.differences(before, after))}" for page, (before, after) in report.picks.items()
        ]
        doubtful = [
            f"line {line:,}: {name} may be {fuller}" for line, (name, fuller) in sorted(plan.people.doubtful.items())
        ]
        left = [f"line {row.line:,}: {row.key}: {row.note}" for row in plan.left]
        return {
            "Changed": changed,
            "Edited on the site and left unchanged": unchanged,
            "In another collection and left unchanged; --take-over changes them too": left,
            "Described differently in the file, and left unchanged": sorted(plan.kept),
            "Added as people of their own, but perhaps known by a fuller name": doubtful,
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
