#!/usr/bin/env python
"""Print how well the judged headings are answered, and which of them are answered otherwise than in the stored run.

    python benchmarks/matching/run.py [--with FILE] [--store]

With a whole collection, the headings from outside are answered too, from it and the fixtures: with the precision at
higher and lower least scores, and beside a search for substrings and one for stems. Everything happens in a database in
memory; the site's own is not touched.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rlm_site.settings")

import django

django.setup()

import evaluation
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.utils import load_backend
from django.utils import timezone

from articles import topics
from articles.models import Article
from quotes import matching
from quotes.models import Quote
from rlm_site.fixture_files import fixture_files
from rlm_site.indexing import queue

JUDGED = "the judged quotations"


def main(collection: str | None = None, store: bool = False) -> None:
    path = Path(collection) if collection else None
    if path and not path.is_file():
        sys.exit(f"The file {path} does not exist.")
    rows = evaluation.collection(path) if path else evaluation.judged_quotations()
    name = path.name if path else JUDGED
    with database_in_memory():
        with transaction.atomic():
            shown = judge(rows, name)
            transaction.set_rollback(True)
        answer_pages(rows, name)
        if path:
            judge_outside(rows, name)
    if store:
        evaluation.store(name, shown)
        print(f"\nStored the run with {name}.")


def judge(rows: Sequence[evaluation.Row], name: str) -> dict[str, list[int]]:
    judged = evaluation.judged_headings()
    headings = [judged_heading.heading for judged_heading in judged]
    shown = evaluation.answers(headings, evaluation.load(rows), timezone.now())
    print(f"{len(judged)} headings, {len(rows)} quotations ({name})\n")
    print(f"{'':28}{'headings':>9}{'answered':>10}{'precision at 1':>16}{'at 3':>8}")
    for half in evaluation.HALVES:
        found = evaluation.measure([judged_heading for judged_heading in judged if judged_heading.half == half], shown)
        row(half, found)
        for heading, line in found.unjudged:
            print(f"    not judged yet: line {line} for “{heading}”")
    for label, stems in (("substring", False), ("stem", True)):
        plain = evaluation.PlainSearch(rows, stems=stems)
        others = plain.answers(headings)
        for half in evaluation.HALVES:
            of_half = [judged_heading for judged_heading in judged if judged_heading.half == half]
            row(f"{label} match, {half}", evaluation.measure(of_half, others, plain.has_a_word_of))
    print_changes(evaluation.stored_runs().get(name), shown, {row["line"]: row["text"] for row in rows})
    return shown


LEASTS = (matching.LEAST - 10, matching.LEAST - 5, matching.LEAST, matching.LEAST + 5, matching.LEAST + 10)


def judge_outside(rows: Sequence[evaluation.Row], name: str) -> None:
    """Answer the headings from outside; the fixtures and the collection are loaded."""
    keys = {pk: evaluation.text_key(text) for pk, text in Quote.objects.values_list("pk", "text")}
    plain = {label: evaluation.PlainSearch(rows, stems=label == "stem") for label in ("substring", "stem")}
    by_line = {row["line"]: evaluation.text_key(row["text"]) for row in rows}
    for part in ("work", "measured"):
        pages = evaluation.outside_pages(part)
        headings = [page.heading for page in pages]
        right, publishable = (evaluation.agreement(pages, question)[0] for question in (0, 1))
        print(f"\nHeadings from outside, {part}, with the fixtures and {name}.", end=" ")
        print(f"Kappa of two judges: {right:.2f} (right), {publishable:.2f} (publishable)")
        columns = "".join(f"{name:>21}" for name in ("right", "publishable", "first publishable"))
        print(f"{'':12}{'answered':>9}{'picks':>7}{'unjudged':>10}{columns}")
        for least in LEASTS:
            outside_row(f"score {least}", evaluation.measure_outside(pages, outside_answers(headings, least, keys)))
        for label, search in plain.items():
            found = {heading: [by_line[line] for line in lines] for heading, lines in search.answers(headings).items()}
            outside_row(label, evaluation.measure_outside(pages, found))


def outside_answers(headings: Sequence[str], least: int, keys: Mapping[int, str]) -> dict[str, list[str]]:
    usual, matching.LEAST = matching.LEAST, least
    try:
        found = evaluation.answers(headings, keys, timezone.now())
    finally:
        matching.LEAST = usual
    return found


def outside_row(label: str, found: evaluation.OutsideMeasure) -> None:
    figures = "".join(
        f"{f'{share:.3f} ({low:.2f}–{high:.2f})':>21}"
        for share, low, high in (found.right, found.publishable, found.first)
    )
    print(f"{label:12}{found.answered / found.pages:>9.0%}{found.shown:>7}{found.unjudged:>10}{figures}")


def row(label: str, found: evaluation.Measure) -> None:
    print(
        f"{label:28}{found.headings:>9}{found.share_answered:>10.0%}"
        f"{found.precision_at_1:>16.3f}{found.precision_at_3:>8.3f}"
    )


def print_changes(before: evaluation.Answers | None, shown: evaluation.Answers, texts: dict[int, str]) -> None:
    if before is None:
        print("\nThere is no stored run to compare with.")
        return
    changed = evaluation.changes(before, shown)
    print(f"\nHeadings with different quotations from the stored run: {len(changed)}")
    for heading, old, new in changed:
        print(f"  {heading}")
        for sign, lines in (("-", [line for line in old if line not in new]), ("+", [*new])):
            for line in lines:
                if sign == "-" or line not in old:
                    print(f"    {sign} {line}: {_beginning(texts.get(line, ''))}")
        if sorted(old) == sorted(new):
            print(f"    order: {old} -> {new}")


def answer_pages(rows: Sequence[evaluation.Row], name: str) -> None:
    call_command("loaddata", *fixture_files(), verbosity=0)
    queue.process_queue()
    own = page_blocks()
    evaluation.load(rows)
    for label, blocks in (("their own quotations", own), (name, page_blocks())):
        answered = [article for article, block in blocks if block]
        print(
            f"\n{len(answered)} of the {len(blocks)} pages of the fixtures that should have quotations have them "
            f"({len(answered) / len(blocks):.0%}) with {label}."
        )
        for article, block in blocks:
            if not block:
                print(f"    none: {article.full_title}")
            if article.slug == "the-allies":
                people = ", ".join(pick.quote.name for pick in block.picks)
                print(f"    {article.full_title}, judged apart: {block.line} {people}")


def page_blocks() -> list[tuple[Article, matching.Block]]:
    now = timezone.now()
    all_topics = topics.load_topics(Article.objects.all(), now)
    made = matching.blocks([topic.pages() for topic in all_topics], now)
    return [
        (article, block)
        for topic, blocks in zip(all_topics, made, strict=True)
        for article, block in zip(topic.articles, blocks, strict=True)
        if article.applied_quotations == Article.Quotations.AUTOMATIC
    ]


@contextmanager
def database_in_memory() -> Iterator[None]:
    """Connect this thread to a new SQLite database in memory until the end of the block."""
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--with", dest="collection", metavar="FILE", help="pick from a whole collection (.jsonl)")
    parser.add_argument("--store", action="store_true", help="store this run, to compare later runs with it")
    main(**vars(parser.parse_args()))
