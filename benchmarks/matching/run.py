"""How well headings are answered, and what changed since the stored run."""

from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import BaseCommand, CommandError, call_command
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.utils import load_backend
from django.utils import timezone

from articles import topics
from articles.models import Article
from quotes import judging, matching
from rlm_site.indexing import queue

FIXTURES = ("tags", "people", "works", "quotes", "references", "articles")
JUDGED = "the judged quotations"


class Command(BaseCommand):
    help = (
        "Print how well the judged headings are answered, and which of them are answered otherwise than in the stored "
        "run. Everything happens in a database in memory; the site's own is not touched."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--with", dest="collection", metavar="FILE", help="pick from a whole collection (.jsonl)")
        parser.add_argument("--store", action="store_true", help="keep this run to compare the next ones with")

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(options["collection"]) if options["collection"] else None
        if path and not path.is_file():
            raise CommandError(f"There is no file {path}.")
        rows = judging.collection(path) if path else judging.judged_quotations()
        name = path.name if path else JUDGED
        with database_in_memory():
            with transaction.atomic():
                shown = self._judge(rows, name)
                transaction.set_rollback(True)
            self._answer_pages(rows, name)
        if options["store"]:
            judging.store(name, shown)
            self.stdout.write(f"\nStored the run with {name}.")

    def _judge(self, rows: Sequence[judging.Row], name: str) -> dict[str, list[int]]:
        judged = judging.judged_headings()
        headings = [each.heading for each in judged]
        shown = judging.answers(headings, judging.load(rows), timezone.now())
        self.stdout.write(f"{len(judged)} headings, {len(rows)} quotations ({name})\n")
        self.stdout.write(f"{'':28}{'headings':>9}{'answered':>10}{'precision at 1':>16}{'at 3':>8}")
        for half in judging.HALVES:
            found = judging.measure([each for each in judged if each.half == half], shown)
            self._row(half, found)
            for heading, line in found.unjudged:
                self.stdout.write(f"    nobody has judged line {line} for “{heading}”")
        for label, stems in (("substring", False), ("stem", True)):
            plain = judging.PlainSearch(rows, stems=stems)
            others = plain.answers(headings)
            for half in judging.HALVES:
                of_half = [each for each in judged if each.half == half]
                self._row(f"{label} match, {half}", judging.measure(of_half, others, plain.has_a_word_of))
        self._print_changes(judging.stored_runs().get(name), shown, {row["line"]: row["text"] for row in rows})
        return shown

    def _row(self, label: str, found: judging.Measure) -> None:
        self.stdout.write(
            f"{label:28}{found.headings:>9}{found.share_answered:>10.0%}"
            f"{found.precision_at_1:>16.3f}{found.precision_at_3:>8.3f}"
        )

    def _print_changes(self, before: judging.Answers | None, shown: judging.Answers, texts: dict[int, str]) -> None:
        if before is None:
            self.stdout.write("\nNo run is stored to compare with.")
            return
        changed = judging.changes(before, shown)
        self.stdout.write(f"\nHeadings answered otherwise than in the stored run: {len(changed)}")
        for heading, old, new in changed:
            self.stdout.write(f"  {heading}")
            for sign, lines in (("-", [line for line in old if line not in new]), ("+", [*new])):
                for line in lines:
                    if sign == "-" or line not in old:
                        self.stdout.write(f"    {sign} {line}: {_beginning(texts.get(line, ''))}")
            if sorted(old) == sorted(new):
                self.stdout.write(f"    order: {old} -> {new}")

    def _answer_pages(self, rows: Sequence[judging.Row], name: str) -> None:
        call_command("loaddata", *FIXTURES, verbosity=0)
        queue.drain()
        own = self._blocks()
        judging.load(rows)
        for label, blocks in (("their own quotations", own), (name, self._blocks())):
            answered = [article for article, block in blocks if block]
            self.stdout.write(
                f"\n{len(answered)} of the {len(blocks)} pages of the fixtures that want quotations are answered "
                f"({len(answered) / len(blocks):.0%}) with {label}."
            )
            for article, block in blocks:
                if not block:
                    self.stdout.write(f"    none: {article.full_title}")
                if article.slug == "the-allies":
                    people = ", ".join(pick.quote.name for pick in block.picks)
                    self.stdout.write(f"    {article.full_title}, judged apart: {block.line} {people}")

    def _blocks(self) -> list[tuple[Article, matching.Block]]:
        now = timezone.now()
        all_topics = topics.topics(Article.objects.all(), now)
        made = matching.blocks([topic.pages() for topic in all_topics], now)
        return [
            (article, block)
            for topic, blocks in zip(all_topics, made, strict=True)
            for article, block in zip(topic.articles, blocks, strict=True)
            if article.quotations == Article.Quotations.AUTOMATIC
        ]


@contextmanager
def database_in_memory() -> Iterator[None]:
    """Meanwhile the default connection of this thread is to a new SQLite database."""
    own = connections[DEFAULT_DB_ALIAS]
    settings = {
        **own.settings_dict,
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {},
    }
    connections[DEFAULT_DB_ALIAS] = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, DEFAULT_DB_ALIAS)
    ContentType.objects.clear_cache()
    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = own
        ContentType.objects.clear_cache()


def _beginning(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 90 else plain[:89] + "…"
