#!/usr/bin/env python
"""Databases of made-up content, as large as wanted and the same every time, with the words of real texts.

    python benchmarks/synthetic_data.py quotations 1000000 --words BARTLETT.jsonl

fills the empty database that DATABASE_URL names. The other benchmarks call `database`, which keeps what it made for
the next run: SQLite files in var/bench/, or PostgreSQL databases beside the one that DATABASE_URL names.
"""

import argparse
import hashlib
import json
import os
import random
import secrets
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
CACHE_DIR = ROOT / "var" / "bench"
SEED = 1905

DISTINCT = 20_000  # quotations; further ones repeat these, because only word frequencies matter
PEOPLE, WORKS, TAGS = 5_000, 10_000, 300


# Databases


def database(kind: str, size: int, words: Path) -> str:
    """Return the URL of a database of this kind and size, filling it unless an earlier run did."""
    url = _address(f"{kind}_{size}")
    digest = _digest(words)
    if _digest_within(url) != digest:
        _make_empty(url)
        command = [sys.executable, __file__, kind, str(size), "--words", str(words)]
        subprocess.run(command, env=environment(url), check=True)
        with _connected(url) as connection:
            connection.execute("CREATE TABLE made_up (digest text)")
            connection.execute(f"INSERT INTO made_up VALUES ('{digest}')")
    return url


def environment(url: str, **more: str) -> dict[str, str]:
    """Return environment variables for a process of the site on this database."""
    given = {"SECRET_KEY": secrets.token_urlsafe(50), **os.environ}
    return {**given, "DATABASE_URL": url, "DEBUG": "false", "PYTHONPATH": str(ROOT), **more}


def _address(name: str) -> str:
    server = os.environ.get("DATABASE_URL", "")
    if server.startswith("postgres"):
        return urlsplit(server)._replace(path=f"/bench_{name}").geturl()
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{CACHE_DIR / name}.sqlite3"


def _digest(words: Path) -> str:
    """Return a hash of everything that determines the content."""
    sources = [Path(__file__), words, *sorted([*ROOT.glob("*/migrations/*.py"), *ROOT.glob("fixtures/*.json*")])]
    return hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()


def _digest_within(url: str) -> str:
    import psycopg

    try:
        with _connected(url) as connection:
            return str(connection.execute("SELECT digest FROM made_up").fetchone()[0])
    except (sqlite3.Error, psycopg.Error):
        return ""


def _make_empty(url: str) -> None:
    if url.startswith("sqlite"):
        for suffix in ("", "-wal", "-shm"):
            Path(url.removeprefix("sqlite:///") + suffix).unlink(missing_ok=True)
        return
    name = urlsplit(url).path.strip("/")
    with _connected(os.environ["DATABASE_URL"]) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {name}")


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    import psycopg

    if url.startswith("sqlite"):
        connection: Any = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(url, autocommit=True)
    with closing(connection):
        yield connection


# Content


class Words:
    """Draws words with their frequencies in some texts."""

    def __init__(self, texts: Iterable[str]) -> None:
        from rlm_site.text.words import folded_words

        lists = [folded_words(text) for text in texts]
        frequencies = Counter(word for words in lists for word in words)
        self.vocabulary = list(frequencies)
        self.weights = list(accumulate(frequencies.values()))
        self.lengths = [len(words) for words in lists]

    def text(self, rng: random.Random, length: int = 0) -> str:
        """Return a text of this length, or as long as one of the source texts."""
        count = length or rng.choice(self.lengths)
        return " ".join(rng.choices(self.vocabulary, cum_weights=self.weights, k=count))


def fill_with_quotations(size: int, words: Words) -> None:
    """Add quotations with their word index; each has a person, a work and a tag."""
    from django.db import connection

    from quotes.models import Person, Quote, QuoteWord, Word, Work
    from quotes.word_index import confirmed_rank, tag_term, words_of
    from rlm_site.text.words import form

    rng = random.Random(SEED)
    quotes: list[Quote] = []
    links: list[QuoteWord] = []
    ids: dict[str, int] = {}
    for number in range(1, min(size, DISTINCT) + 1):
        quote = Quote(pk=number, key=f"made-up-{number}", text=words.text(rng), published=True, status="reported")
        quote.person_id, quote.work_id = number % PEOPLE + 1, number % WORKS + 1
        terms = words_of(quote)
        terms[tag_term(rng.randint(1, TAGS))] = (confirmed_rank(quote), True)
        quotes.append(quote)
        for term, (of_term, _contained) in terms.items():
            word_id = ids.setdefault(term, len(ids) + 1)
            links.append(QuoteWord(pk=len(links) + 1, word_id=word_id, quote_id=number, rank=of_term))
    _drop_triggers()  # they would mark each row as stale
    Person.objects.bulk_create(Person(pk=n, name=f"Name {n}", slug=f"name-{n}") for n in range(1, PEOPLE + 1))
    Work.objects.bulk_create(Work(pk=n, title=f"Work {n}") for n in range(1, WORKS + 1))
    Word.objects.bulk_create(Word(pk=pk, text=text, form=form(text)) for text, pk in ids.items())
    Quote.objects.bulk_create(quotes)
    QuoteWord.objects.bulk_create(links)
    _repeat_quotations(size, len(links))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE quotes_word SET quote_count ="
            " (SELECT count(*) FROM quotes_quoteword WHERE word_id = quotes_word.id)"
        )
        cursor.execute("ANALYZE")


def _repeat_quotations(size: int, link_count: int) -> None:
    """Copy the distinct quotations and their index entries until there are `size` of them."""
    from quotes.models import Quote, QuoteWord

    for times, offset in enumerate(range(DISTINCT, size, DISTINCT), 1):
        most = min(DISTINCT, size - offset)
        other = f"(id + {offset})"
        person, work = f"{other} * 7919 % {PEOPLE} + 1", f"{other} * 7919 % {WORKS} + 1"
        _repeat(Quote, f"id <= {most}", id=other, key=f"'made-up-' || {other}", person_id=person, work_id=work)
        _repeat(
            QuoteWord,
            f"id <= {link_count} AND quote_id <= {most}",
            id=f"id + {times * link_count}",
            quote_id=f"quote_id + {offset}",
        )
        print(f"\r{offset + most:,} of {size:,} quotations", end="", flush=True)
    print()


def fill_with_pages(size: int, words: Words) -> None:
    """Add topics of 12 sections and as many quotations as sections, with derived data."""
    from articles.models import Article, TaggedArticle
    from quotes.models import Person, Quote
    from rlm_site.indexing import queue
    from rlm_site.tags.models import Tag

    rng = random.Random(SEED)
    tags = Tag.objects.bulk_create(Tag(name=f"tag {n}", slug=f"tag-{n}", folded=f"tag {n}") for n in range(1, 41))
    person = Person.objects.create(name="Somebody", slug="somebody")
    texts = ["\n\n".join(words.text(rng, 100) for _paragraph in range(6)) for _text in range(500)]
    texts = [f"{text} See [[Topic {rng.randint(1, max(size // 12, 1))}]]." for text in texts]
    sections = 0
    for number in range(1, size // 12 + 2):
        if sections >= size:
            break
        topic = Article.objects.create(
            title=f"Topic {number}", slug=f"topic-{number}", body=rng.choice(texts), position=number, published=True
        )
        sections_of_topic = _create_sections(topic, min(12, size - sections), texts, words, rng)
        TaggedArticle.objects.bulk_create(
            TaggedArticle(tag=tag, content_object=article)
            for article in sections_of_topic
            for tag in rng.sample(tags, 3)
        )
        Quote.objects.bulk_create(
            Quote(text=words.text(rng, 40), person=person, published=True, status="reported")
            for _each in sections_of_topic
        )
        sections += len(sections_of_topic)
        if number % 20 == 0:
            queue.process_queue()
            print(f"\r{sections:,} of {size:,} pages", end="", flush=True)
    queue.process_queue()
    print()


def _create_sections(topic: Any, count: int, texts: list[str], words: Words, rng: random.Random) -> list[Any]:
    from articles.models import Article

    return Article.objects.bulk_create(
        Article(
            parent=topic,
            title=f"{words.text(rng, 2).title()} {position}",
            slug=f"section-{position}-of-{topic.slug}",
            body=rng.choice(texts),
            position=position,
            published=True,
        )
        for position in range(1, count + 1)
    )


def _repeat(model: Any, condition: str, **other: str) -> None:
    """Insert copies of rows that meet the condition, with other values in some columns."""
    from django.db import connection

    columns = [field.column for field in model._meta.concrete_fields]
    values = ", ".join(other.get(column, column) for column in columns)
    with connection.cursor() as cursor:
        table = model._meta.db_table
        cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} WHERE {condition}")


def _drop_triggers() -> None:
    from django.db import connection

    statement = {
        "sqlite": "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT format('DROP TRIGGER %I ON %s', tgname, tgrelid::regclass) FROM pg_trigger"
        " WHERE NOT tgisinternal",
    }[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(statement)
        for (drop,) in cursor.fetchall():
            cursor.execute(drop)


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a fixture of articles, or of JSON Lines with a `text` in each row."""
    if path.suffix == ".json":
        yield from (row["fields"]["body"] for row in json.loads(path.read_text()) if "body" in row["fields"])
        return
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line)["text"] for line in lines)


FILL = {"quotations": fill_with_quotations, "pages": fill_with_pages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=FILL)
    parser.add_argument("size", type=int)
    parser.add_argument("--words", type=Path, required=True, help="JSON Lines with a `text` in each row, or articles")
    args = parser.parse_args()
    started = time.monotonic()
    os.environ["DJANGO_SETTINGS_MODULE"] = "rlm_site.settings"
    import django

    django.setup()
    from django.core.management import call_command

    print(f"Generating {args.size:,} {args.kind} …", flush=True)
    call_command("migrate", verbosity=0, skip_checks=True)
    words = Words(_texts(args.words))
    FILL[args.kind](args.size, words)
    call_command("migrate", verbosity=0, skip_checks=True)  # puts triggers back
    print(f"Generated in {time.monotonic() - started:.0f} s.", flush=True)


if __name__ == "__main__":
    main()
